import { Document, IDerivation, SourceFromTransfers } from 'flow/bank/balances.ts';

/** A transfer is a debit of one account and a credit of another. */
export class Derivation extends IDerivation {
    fromTransfers({ doc }: { doc: SourceFromTransfers }): Document[] {
        return [
            { account: doc.sender, balance: -doc.amount },
            { account: doc.recipient, balance: doc.amount },
        ];
    }
}
