// Written by Tidegate from the schemas of the catalog: changes are lost when it is written again.

/** A document of `demo/big-spenders`. */
export type Document = {
    customer: number;
    tier: "gold" | "silver";
    total_cents: number;
};

/** A document of `demo/orders`, as it is read. */
export type SourceFromOrders = {
    /** Id of the customer. */
    customer: number;
    id: number;
    lines: {
        price: number;
        product: string;
        quantity: number;
    }[];
    placed_at: string;
    region: "apac" | "eu" | "us";
    status: "cancelled" | "paid" | "shipped";
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

    /** Gives what is published for a document of `demo/orders`. */
    abstract fromOrders(read: { doc: SourceFromOrders }): Document[];
}
