import type { SourceFromOrders } from 'flow/demo/daily-revenue.ts';

/** What the lines of an order cost, in cents. */
export function cents(lines: SourceFromOrders['lines']): number {
    return lines.reduce((sum, line) => sum + Math.round(100 * line.quantity * line.price), 0);
}
