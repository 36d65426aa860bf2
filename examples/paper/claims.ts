import { type Grid, lastLoss, steps } from './grid.ts';
import { batchNormed, initialized, type Method, meanOnly, plain, weightNormed } from './methods.ts';
import type { Run } from './runMethod.ts';
import { percent, spread } from './statistics.ts';

/** The loss to which steps are counted. */
export const targetLoss = 1;

/** A claim of the paper with what was measured here. */
export interface Claim {
  readonly section: string;
  readonly claim: string;
  readonly measured: string;
  /** `yes` if it held for every seed, `no` if for half of them or fewer, else `in part`; with the count. */
  readonly verdict: string;
}

/** The claims, each decided by the seeds: a seed counts if the claim holds in its runs. */
export function claims(grid: Grid): Claim[] {
  const stepsOf = (method: Method) => grid.best(method).map((run) => steps(run, targetLoss));
  const [plainSteps, normedSteps, initializedSteps, batchSteps] = [
    plain,
    weightNormed,
    initialized,
    batchNormed,
  ].map(stepsOf) as [number[], number[], number[], number[]];
  const of = (method: Method, value: (run: Run) => number) => grid.best(method).map(value);
  const times = [plain, initialized, batchNormed].map((method) =>
    grid.rates.flatMap((rate) => grid.of(method, rate).map(({ time }) => time)),
  );
  const [plainTime, normedTime, batchTime] = times.map(median) as [number, number, number];
  const noises = [initialized, meanOnly, batchNormed].map((method) => of(method, ({ noise }) => noise));
  const [ownNoise, meanNoise, batchNoise] = noises as [number[], number[], number[]];
  const errors = [plain, weightNormed, initialized, meanOnly, batchNormed].map((method) =>
    of(method, ({ testError }) => testError),
  ) as [number[], number[], number[], number[], number[]];
  const growth = (rate: number) => grid.of(initialized, rate).map((run) => run.growth);
  const [slowest, fastest] = [grid.rates[0]!, grid.rates.at(-1)!];
  const [plainWorst, initializedWorst] = [plain, initialized].map((method) => grid.worstLosses(method)) as [
    number[],
    number[],
  ];
  const [plainFast, initializedFast] = [plain, initialized].map((method) =>
    grid.of(method, fastest).map(lastLoss),
  ) as [number[], number[]];
  return [
    {
      section: '5.1',
      claim: 'Weight normalization (initialized from data) trains faster than the plain network',
      measured: `steps to loss ${targetLoss}: ${count(initializedSteps)} against ${count(plainSteps)}`,
      verdict: verdict(initializedSteps.map((value, i) => value < plainSteps[i]!)),
    },
    {
      section: '5.1',
      claim: 'Batch normalization trains faster than the plain network',
      measured: `${count(batchSteps)} against ${count(plainSteps)} steps`,
      verdict: verdict(batchSteps.map((value, i) => value < plainSteps[i]!)),
    },
    {
      section: '3',
      claim: 'Weight normalization profits from data-dependent initialization',
      measured: `${count(initializedSteps)} steps with it, ${count(normedSteps)} without`,
      verdict: verdict(initializedSteps.map((value, i) => value < normedSteps[i]!)),
    },
    {
      section: '5.1',
      claim: 'Early on, a step of batch normalization gains slightly more than one of weight normalization',
      measured: `${count(batchSteps)} against ${count(initializedSteps)} steps`,
      verdict: verdict(batchSteps.map((value, i) => value < initializedSteps[i]!)),
    },
    {
      section: '5.1',
      claim: 'A step of batch normalization takes more time (16 %), one of weight normalization hardly',
      measured: `processor time per step ${ratio(batchTime / plainTime)} and ${ratio(normedTime / plainTime)}`,
      verdict: batchTime > 1.05 * plainTime && normedTime < 1.05 * plainTime ? 'yes' : 'no',
    },
    {
      section: '1',
      claim: 'Weight normalization makes no digit depend on the others of its batch',
      measured: `noise of the logits ${spread(ownNoise, 3)}`,
      verdict: verdict(ownNoise.map((value) => value < 1e-5)),
    },
    {
      section: '4',
      claim: 'The noise of mean-only batch normalization is gentler than that of batch normalization',
      measured: `${spread(meanNoise, 3)} against ${spread(batchNoise, 3)} of the spread of the logits`,
      verdict: verdict(meanNoise.map((value, i) => value < batchNoise[i]!)),
    },
    {
      section: '5.1',
      claim: 'Weight normalization with mean-only batch normalization has the least test error',
      measured: `${percent(errors[3])}; the others ${[0, 1, 2, 4].map((i) => percent(errors[i]!)).join(', ')}`,
      verdict: verdict(
        errors[3].map((value, i) => [0, 1, 2, 4].every((other) => value < errors[other]![i]!)),
      ),
    },
    {
      section: '2.1',
      claim: '‖v‖ grows, and more if the learning rate is larger',
      measured: `by a factor of ${spread(growth(slowest), 2)} with ${slowest}, ${spread(growth(fastest), 2)} with ${fastest}`,
      verdict: verdict(growth(slowest).map((value, i) => value > 1 && growth(fastest)[i]! > value)),
    },
    {
      section: '2.1',
      claim: 'Weight normalization does well over a range of learning rates',
      measured: `worst last loss over the rates: ${spread(initializedWorst, 2)}, plain ${spread(plainWorst, 2)}`,
      verdict: verdict(initializedWorst.map((value, i) => value < plainWorst[i]!)),
    },
    {
      section: '2.1',
      claim: 'A learning rate that is too large harms less with weight normalization, because ‖v‖ grows',
      measured: `last loss with ${fastest}: ${spread(initializedFast, 2)}, plain ${spread(plainFast, 2)}`,
      verdict: verdict(initializedFast.map((value, i) => value < plainFast[i]!)),
    },
  ];
}

function verdict(held: readonly boolean[]): string {
  const count = held.filter(Boolean).length;
  const word = count === held.length ? 'yes' : count <= held.length / 2 ? 'no' : 'in part';
  return `${word}, ${count} of ${held.length} seeds`;
}

/** The mean and the deviation of the runs that reach the loss. */
export function count(values: readonly number[]): string {
  const reached = values.filter(Number.isFinite);
  if (reached.length === 0) return 'never reached';
  const missing = reached.length < values.length ? ` (${reached.length} of ${values.length} runs)` : '';
  return `${spread(reached, 0)}${missing}`;
}

const ratio = (value: number): string => `× ${value.toFixed(2)}`;

/** The middle value. */
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
