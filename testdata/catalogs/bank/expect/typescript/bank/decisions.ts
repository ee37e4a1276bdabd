// Written by Tidegate from the schemas of the catalog: changes are lost when it is written again.

/** A document of `bank/decisions`. */
export type Document = {
    /** Its sender. */
    account: string;
    amount: number;
    /** What the sender had before. */
    funds: number;
    /** The transfer. */
    id: number;
    outcome: "approved" | "denied";
};
