import { checkInteger, checkOptions, checkProbability } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';

/** Options of {@link cubicSparsity}. */
export interface CubicSparsityOptions {
  /** The sparsity up to `begin`, from 0 to 1. Default 0. */
  readonly initial?: number;
  /** The sparsity from `end` on, from 0 to 1. */
  readonly final: number;
  /** The step at which the sparsity begins to change. Default 0. */
  readonly begin?: number;
  /** The step at which the sparsity is final. */
  readonly end: number;
}

/** The options of a checked schedule. */
export type CubicSchedule = Required<CubicSparsityOptions>;

/** The keys of {@link CubicSparsityOptions}. */
export const cubicKeys = ['initial', 'final', 'begin', 'end'] as const;

/**
 * Returns a sparsity for each step of training, which rises fast at first and slowly in the end.
 *
 * `s(t) = final + (initial − final) · (1 − (t − begin) / (end − begin))³` from `begin` to `end`; `initial` before and
 * `final` after.
 *
 * @returns a function from the number of the step to the sparsity
 * @throws {@link ParametrizeError} `OPTION`
 * @example
 * ```ts
 * const sparsity = cubicSparsity({ final: 0.9, begin: 100, end: 1100 });
 * for (let step = 0; step < 2000; step++) {
 *   train();
 *   if (step % 100 === 0) prune(layer, { sparsity: sparsity(step) });
 * }
 * ```
 * @see Zhu and Gupta 2017, arXiv:1710.01878
 */
export function cubicSparsity(options: CubicSparsityOptions): (step: number) => number {
  checkOptions('cubicSparsity', options, cubicKeys);
  return cubic(checkedCubic('cubicSparsity', options));
}

/**
 * Checks the options of a schedule, and returns them with their defaults.
 *
 * @throws {@link ParametrizeError} `OPTION`
 */
export function checkedCubic(
  caller: string,
  { initial = 0, final, begin = 0, end }: CubicSparsityOptions,
): CubicSchedule {
  checkProbability(caller, 'initial', initial);
  checkProbability(caller, 'final', final);
  checkInteger(caller, 'begin', begin, 0);
  checkInteger(caller, 'end', end, 0);
  if (end >= begin) return { initial, final, begin, end };
  throw refusal('OPTION', caller, `end is ${end}, before begin, which is ${begin}`);
}

/** Returns the sparsity for each step. */
export const cubic =
  ({ initial, final, begin, end }: CubicSchedule) =>
  (step: number): number => {
    if (step >= end) return final;
    if (step <= begin) return initial;
    return final + (initial - final) * (1 - (step - begin) / (end - begin)) ** 3;
  };
