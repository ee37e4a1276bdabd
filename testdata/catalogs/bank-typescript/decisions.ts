import { Document, IDerivation, SourceFromTransfers } from 'flow/bank/decisions.ts';
import { Accounts, Funds } from './accounts.ts';

/** The sender's funds have to cover a transfer. What they are is committed together with the decisions. */
export class Derivation extends IDerivation {
    readonly #accounts: Accounts;

    constructor(open: { state: { funds?: Funds } }) {
        super(open);
        this.#accounts = new Accounts(open.state.funds ?? {});
    }

    fromTransfers({ doc }: { doc: SourceFromTransfers }): Document[] {
        const funds = this.#accounts.funds(doc.sender);
        const outcome = doc.amount <= funds ? 'approved' : 'denied';
        if (outcome === 'approved') {
            this.#accounts.take(doc.sender, doc.amount);
        }
        return [{ id: doc.id, account: doc.sender, amount: doc.amount, funds, outcome }];
    }

    override startCommit() {
        return { state: { updated: { funds: this.#accounts.changes() }, mergePatch: true } };
    }
}
