import { Document, IDerivation, SourceFromOrders } from 'flow/demo/daily-revenue.ts';
import { cents } from './money.ts';

/** Each order adds to its day and region; cancelled ones do not count. */
export class Derivation extends IDerivation {
    fromOrders({ doc }: { doc: SourceFromOrders }): Document[] {
        if (doc.status === 'cancelled') {
            return [];
        }
        const day = doc.placed_at.slice(0, 10);
        return [{ day, region: doc.region, orders: 1, revenue_cents: cents(doc.lines) }];
    }
}
