import { smoothed } from '../mnist/report/smoothed.ts';
import type { Method } from './methods.ts';
import type { Run } from './runMethod.ts';
import { spreadOf, stepsTo } from './statistics.ts';

/** Steps in the mean of a loss. */
const window = 10;

/** The runs of all methods with all rates and seeds. */
export class Grid {
  readonly runs: readonly Run[];
  readonly rates: readonly number[];
  readonly seeds: readonly number[];

  constructor(runs: readonly Run[]) {
    this.runs = runs;
    this.rates = [...new Set(runs.map(({ rate }) => rate))];
    this.seeds = [...new Set(runs.map(({ seed }) => seed))];
  }

  /** The runs of a method with a rate, in the order of the seeds. */
  of(method: Method, rate: number): Run[] {
    return this.runs.filter((run) => run.method === method && run.rate === rate);
  }

  /** The rate with the least mean of the last loss. The paper selects the rate of each method, too. */
  bestRate(method: Method): number {
    const meanLoss = (rate: number): number => spreadOf(this.of(method, rate).map(lastLoss)).mean;
    return this.rates.reduce((best, rate) => (meanLoss(rate) < meanLoss(best) ? rate : best));
  }

  /** The runs of a method with its best rate. */
  best(method: Method): Run[] {
    return this.of(method, this.bestRate(method));
  }

  /** For each seed the largest of the last losses over all rates. */
  worstLosses(method: Method): number[] {
    return this.seeds.map((_, i) =>
      Math.max(...this.rates.map((rate) => lastLoss(this.of(method, rate)[i]!))),
    );
  }
}

/** The mean loss of the last ten steps, after each step. */
export const curve = ({ losses }: Run): number[] => smoothed(losses, window);

/** The mean loss of the last ten steps at the end. */
export const lastLoss = (run: Run): number => curve(run).at(-1)!;

/** The number of steps to a loss. */
export const steps = (run: Run, target: number): number => stepsTo(target, curve(run));
