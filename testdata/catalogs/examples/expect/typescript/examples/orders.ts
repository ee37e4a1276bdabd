// Written by Tidegate from the schemas of the catalog: changes are lost when it is written again.

/** A document of `examples/orders`. */
export type Document = {
    id: number;
    items: {
        /** Of one piece. */
        price: number;
        product: string;
        quantity: number;
    }[];
};
