import * as tf from '@tensorflow/tfjs-core';
import 'vitest';

/** Nested numbers, a tensor, or a golden tensor. */
export type Numbers =
  | number
  | readonly Numbers[]
  | tf.Tensor
  | { readonly data: readonly (number | string)[] };

interface Tolerance {
  /** Allowed difference relative to the expected number; default 1e-5, one float32 matrix product. */
  readonly relative?: number;
  /** Allowed difference on top; default 1e-6. */
  readonly absolute?: number;
}

/** Passes if all numbers are within `absolute + relative·|expected|`; NaN equals NaN and infinities equal themselves. */
export function toBeAllClose(received: Numbers, expected: Numbers, tolerance: Tolerance = {}) {
  const { relative = 1e-5, absolute = 1e-6 } = tolerance;
  const actual = flatten(received);
  const wanted = flatten(expected);
  const shapes = [shapeOf(received), shapeOf(expected)];
  if (shapes[0] && shapes[1] && shapes[0].join() !== shapes[1].join()) {
    return { pass: false, message: () => `shapes differ: [${shapes[0]}] and [${shapes[1]}]` };
  }
  if (actual.length !== wanted.length) {
    return { pass: false, message: () => `sizes differ: ${actual.length} and ${wanted.length}` };
  }
  let worst = -1;
  let excess = 0;
  actual.forEach((value, i) => {
    const target = wanted[i]!;
    if (Object.is(value, target) || value === target) return;
    const over = Math.abs(value - target) - (absolute + relative * Math.abs(target));
    if (!(over <= 0) && (worst < 0 || !(over <= excess))) {
      worst = i;
      excess = over;
    }
  });
  return {
    pass: worst < 0,
    message: () =>
      worst < 0
        ? 'expected some number to differ'
        : `element ${worst} is ${actual[worst]}, expected ${wanted[worst]} (relative ${relative}, absolute ${absolute})`,
  };
}

function shapeOf(numbers: Numbers): readonly number[] | undefined {
  return numbers instanceof tf.Tensor ? numbers.shape : undefined;
}

/** All numbers, flat and row-major. */
export function flatten(numbers: Numbers): number[] {
  if (typeof numbers === 'number') return [numbers];
  if (numbers instanceof tf.Tensor) return Array.from(numbers.dataSync());
  if ('data' in numbers) return numbers.data.map(parseNumber);
  return numbers.flatMap(flatten);
}

/** Golden files spell numbers that JSON lacks as strings. */
export function parseNumber(value: number | string): number {
  if (typeof value === 'number') return value;
  return { nan: Number.NaN, inf: Number.POSITIVE_INFINITY, '-inf': Number.NEGATIVE_INFINITY, '-0': -0 }[
    value
  ]!;
}

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: the declaration that it merges with has any
  interface Matchers<T = any> {
    toBeAllClose(expected: Numbers, tolerance?: Tolerance): T;
  }
}
