/** What accounts have left, by their names. */
export type Funds = Record<string, number>;

const BEGINNING = 5000;

/** Accounts whose funds approved transfers use up. */
export class Accounts {
    readonly #funds: Map<string, number>;
    #changed: Funds = {};

    constructor(funds: Funds) {
        this.#funds = new Map(Object.entries(funds));
    }

    funds(account: string): number {
        return this.#funds.get(account) ?? BEGINNING;
    }

    take(account: string, amount: number): void {
        const left = this.funds(account) - amount;
        this.#funds.set(account, left);
        this.#changed[account] = left;
    }

    /** What has changed since the last time. */
    changes(): Funds {
        const changed = this.#changed;
        this.#changed = {};
        return changed;
    }
}
