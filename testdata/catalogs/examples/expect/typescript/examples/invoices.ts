// Written by Tidegate from the schemas of the catalog: changes are lost when it is written again.

/** A document of `examples/invoices`. */
export type Document = {
    amount: number;
    customer: number;
    id: number;
};
