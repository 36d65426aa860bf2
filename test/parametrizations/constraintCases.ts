import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';

/** A tensor of a random shape, with some axes, numbers of any size, and now and then zeros all along the axes. */
export const constrained = fc
  .array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 })
  .chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      axis: fc.subarray(
        shape.map((_, axis) => axis),
        { minLength: 1 },
      ),
      seed: fc.integer({ min: 1, max: 1e6 }),
      magnitude: fc.constantFrom(1e-20, 1e-3, 1, 1e3, 1e15),
      zero: fc.boolean(),
    }),
  );

export type Constrained = typeof constrained extends fc.Arbitrary<infer T> ? T : never;

/** The tensor of a case; its first slice along the axes is zero if the case says so. */
export const tensorOf = ({ shape, axis, seed, magnitude, zero }: Constrained): tf.Tensor =>
  tf.tidy(() => {
    const x = tf.mul(tf.randomNormal(shape, 0, 1, 'float32', seed), magnitude);
    if (!zero) return x;
    const kept = shape.map((size, i) => (axis.includes(i) ? 1 : size));
    const size = kept.reduce((product, n) => product * n, 1);
    const mask = tf.reshape(tf.concat([tf.zeros([1]), tf.ones([Math.max(size - 1, 0)])]), kept);
    return tf.mul(x, mask);
  });

/** The norms of a tensor over some axes, in float64, one for each slice. */
export function normsOf(x: tf.Tensor, axis: readonly number[]): number[] {
  const sums = new Map<string, number>();
  const values = x.dataSync();
  for (const [i, value] of values.entries()) {
    const place: number[] = [];
    let rest = i;
    for (let a = x.rank - 1; a >= 0; a--) {
      place.unshift(rest % x.shape[a]!);
      rest = Math.floor(rest / x.shape[a]!);
    }
    const key = place.filter((_, a) => !axis.includes(a)).join();
    sums.set(key, (sums.get(key) ?? 0) + value ** 2);
  }
  return [...sums.values()].map(Math.sqrt);
}
