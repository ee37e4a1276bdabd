import { Document, IDerivation, SourceFromOrders } from 'flow/demo/big-spenders.ts';

type Spent = Record<string, number>;

/** Customers who have spent 1,000.00 and more. What all have spent is committed with what is published. */
export class Derivation extends IDerivation {
    #spent: Spent;
    #changed: Spent = {};

    constructor(open: { state: { spent?: Spent } }) {
        super(open);
        this.#spent = open.state.spent ?? {};
    }

    fromOrders({ doc }: { doc: SourceFromOrders }): Document[] {
        if (doc.status === 'cancelled') {
            return [];
        }
        const total = (this.#spent[doc.customer] ?? 0) + cents(doc.lines);
        this.#spent[doc.customer] = this.#changed[doc.customer] = total;
        if (total < 100_000) {
            return [];
        }
        const tier = total >= 500_000 ? 'gold' : 'silver';
        return [{ customer: doc.customer, total_cents: total, tier }];
    }

    override startCommit() {
        const spent = this.#changed;
        this.#changed = {};
        return { state: { updated: { spent }, mergePatch: true } };
    }
}

/** What the lines of an order cost, in cents. */
function cents(lines: SourceFromOrders['lines']): number {
    return lines.reduce((sum, line) => sum + Math.round(100 * line.quantity * line.price), 0);
}
