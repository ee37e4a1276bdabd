// Written by Tidegate from the schemas of the catalog: changes are lost when it is written again.

/** A document of `examples/order-costs`. */
export type Document = {
    cost: string;
    id: number;
};
