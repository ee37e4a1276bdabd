// Written by Tidegate from the schemas of the catalog: changes are lost when it is written again.

/** A document of `bank/balances`. */
export type Document = {
    account: string;
    balance: number;
};
