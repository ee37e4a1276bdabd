// Written by Tidegate from the schemas of the catalog: changes are lost when it is written again.

/** A document of `examples/customers`. */
export type Document = {
    customer: number;
    name: string;
};
