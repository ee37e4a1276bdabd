// Written by Tidegate from the schemas of the catalog: changes are lost when it is written again.

/** A document of `examples/accounts`. */
export type Document = {
    customer: number;
    invoices?: number;
    name?: string;
    total?: number;
};
