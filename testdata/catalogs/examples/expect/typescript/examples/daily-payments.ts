// Written by Tidegate from the schemas of the catalog: changes are lost when it is written again.

/** A document of `examples/daily-payments`. */
export type Document = {
    /** Payments of the sender within a day. */
    count: number;
    id: number;
    sender: string;
    total: number;
};
