// Written by Tidegate from the schemas of the catalog: changes are lost when it is written again.

/** A document of `bank/transfers`. */
export type Document = {
    amount: number;
    id: number;
    recipient: string;
    sender: string;
};
