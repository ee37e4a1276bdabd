// Written by Tidegate from the schemas of the catalog: changes are lost when it is written again.

/** A document of `bank/balances`. */
export type Document = {
    account: string;
    balance: number;
};

/** A document of `bank/transfers`, as it is read. */
export type SourceFromTransfers = {
    amount: number;
    id: number;
    recipient: string;
    sender: string;
};

/** What derives the collection: the module exports a class `Derivation` that extends this one. */
export abstract class IDerivation {
    /** The state is what the last `startCommit` gave, or `{}` when none did. */
    constructor(_open: { state: unknown }) {}

    /** Gives what is published at the end of a transaction. */
    // deno-lint-ignore require-await
    async flush(): Promise<Document[]> {
        return [];
    }

    /** Forgets everything. Some tools call it between tests; here each test begins with a new instance. */
    async reset(): Promise<void> {}

    /** Gives the state that is committed together with what was published. */
    startCommit(_commit: { runtimeCheckpoint: unknown }): { state?: { updated: unknown; mergePatch: boolean } } {
        return {};
    }

    /** Gives what is published for a document of `bank/transfers`. */
    abstract fromTransfers(read: { doc: SourceFromTransfers }): Document[];
}
