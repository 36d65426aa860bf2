import { refusal } from '../../core/errors.ts';
import type { ParametrizationDefinition } from '../../parametrize/definition.ts';
import type { Parametrization } from '../../parametrize/parametrization.ts';
import { type KeptAxes, keptAxes } from '../axes/keptAxes.ts';
import { boolean, integer, oneOf } from '../options.ts';

/** Options of `fakeQuantize`. */
export interface FakeQuantizeOptions {
  /** The number of bits of an integer, from 2 to 16. Default 8. */
  readonly bits?: number;
  /** True if the integer 0 stands for 0. False for a zero point, which suits one-sided weights. Default true. */
  readonly symmetric?: boolean;
  /**
   * The axis or axes with a scale for each index; null for one scale of the whole tensor. Default null; with
   * `groupSize`, the axis that numbers the outputs.
   */
  readonly dim?: KeptAxes;
  /** The number of neighbors along `groupDim` that share a scale. It divides the axis. Default: no groups. */
  readonly groupSize?: number;
  /** The axis of the groups. Default: the axis that numbers the inputs. */
  readonly groupDim?: number;
  /** True if the scale, and without `symmetric` the zero point, are trained (LSQ). Default false. */
  readonly learned?: boolean;
  /**
   * The smallest and the largest integer. Default: `[-127, 127]` for symmetric ones of 8 bits, `[0, 255]` for others,
   * and alike for other bits.
   */
  readonly range?: readonly [min: number, max: number];
  /**
   * What an evaluation in training mode does to the scale: nothing (`'none'`), it widens it to the extremes of all
   * values so far (`'minMax'`), or to their moving average (`'movingAverage'`). Default `'none'`.
   */
  readonly observer?: 'none' | 'minMax' | 'movingAverage';
  /** The share of the newest extremes in the moving average. Default 0.01. */
  readonly averagingConstant?: number;
}

/** The definitions of the options of `fakeQuantize`. */
export const quantizeOptions: ParametrizationDefinition<Parametrization, FakeQuantizeOptions>['options'] = {
  bits: {
    default: 8,
    expected: 'an integer from 2 to 16',
    accepts: (bits) => Number.isInteger(bits) && bits >= 2 && bits <= 16,
  },
  symmetric: { default: true, ...boolean },
  dim: { expected: keptAxes.expected, accepts: keptAxes.accepts },
  groupSize: integer(1),
  groupDim: integer(Number.MIN_SAFE_INTEGER),
  learned: { default: false, isQuiet: true, ...boolean },
  range: {
    expected: 'two integers [min, max] with -65536 < min ≤ 0 ≤ max < 65536 and min < max',
    accepts: (value) =>
      Array.isArray(value) &&
      value.length === 2 &&
      value.every((one) => Number.isInteger(one) && Math.abs(one) < 65536) &&
      value[0]! <= 0 &&
      value[1]! >= 0 &&
      value[0]! < value[1]!,
  },
  observer: { default: 'none', isQuiet: true, ...oneOf(['none', 'minMax', 'movingAverage']) },
  averagingConstant: {
    default: 0.01,
    isQuiet: true,
    expected: 'a number above 0 and at most 1',
    accepts: (value) => value > 0 && value <= 1,
  },
};

/**
 * Refuses options of `fakeQuantize` that contradict each other.
 *
 * @throws {@link ParametrizeError} `OPTION`
 */
export function checkQuantizeOptions(options: Required<FakeQuantizeOptions>): void {
  const { bits, dim, groupSize, groupDim, learned, observer } = options;
  const [min, max] = rangeOf(options);
  const refuse = (fact: string, remedy: string): never => {
    throw refusal('OPTION', 'fakeQuantize', fact, remedy);
  };
  if (max - min >= 2 ** bits) {
    refuse(
      `range [${min}, ${max}] has ${max - min + 1} integers, more than ${bits} bits have`,
      'Pass more bits.',
    );
  }
  if (learned && observer !== 'none') {
    refuse(`the scale is learned, and observer is '${observer}'`, 'Leave out one of learned and observer.');
  }
  if (groupDim !== undefined && groupSize === undefined) {
    refuse('groupDim is given without groupSize', 'Pass groupSize, the number of neighbors with a scale.');
  }
  if (groupSize !== undefined && dim === null) {
    refuse('groupSize is given with dim: null', 'Leave dim out, or pass the axis of the outputs.');
  }
  if (learned && max === 0) {
    refuse(`range [${min}, ${max}] has no positive integer`, 'Pass another range for a learned scale.');
  }
}

/** Returns the smallest and the largest integer of options. */
export function rangeOf({
  bits = 8,
  symmetric = true,
  range,
}: FakeQuantizeOptions): readonly [min: number, max: number] {
  if (range !== undefined) return range;
  const half = 2 ** (bits - 1) - 1;
  return symmetric ? [-half, half] : [0, 2 ** bits - 1];
}
