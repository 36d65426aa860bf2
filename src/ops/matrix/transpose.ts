import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { applyLinear } from '../linearMap/linearMap.ts';

/**
 * Transposes every matrix of a batch.
 *
 * `y[n, j, i] = x[n, i, j]`
 *
 * @remarks
 * **Shape**: x `[n, a, b]`; output `[n, b, a]`.
 * **Gradient**: of any order; it is the same map.
 * **Ownership**: returns a new tensor, as any op.
 */
export function swapLastAxes(x: Tensor): Tensor {
  const [n, a, b] = x.shape as [number, number, number];
  // The numbers stay in their order. An empty tensor would trap on wasm.
  if (a === 1 || b === 1 || x.size === 0) return tf.reshape(x, [n, b, a]);
  // The other direction is the gradient's.
  const isPlain = tf.getBackend() !== 'wasm' || !(evictsItself(a, b) || evictsItself(b, a));
  return isPlain ? tf.transpose(x, [0, 2, 1]) : applyLinear({ apply: swap, transpose: swap }, x);
}

/**
 * By blocks where that is faster, which is up to 25 times: the kernel of the wasm backend writes down the columns of its
 * output, a few numbers in each row.
 */
function swap(x: Tensor): Tensor {
  const [n, a, b] = x.shape as [number, number, number];
  if (!evictsItself(a, b)) return tf.transpose(x, [0, 2, 1]);
  const blocks = tf.transpose(tf.reshape(x, [(n * a) / BLOCK, BLOCK, b]), [0, 2, 1]);
  return tf.reshape(tf.transpose(tf.reshape(blocks, [n, a / BLOCK, b, BLOCK]), [0, 2, 1, 3]), [n, b, a]);
}

/** Rows of a block: two lines of a cache. */
const BLOCK = 32;

/**
 * True if the rows of the output, b of length a, displace each other from the first-level cache before they are full.
 *
 * A cache finds the place of a number by its address modulo 4 KiB, that is 1,024 numbers, and has about eight places for
 * each. So of rows whose length has a factor 2ᵏ no more than `8 · 1024 / 2ᵏ` stay.
 */
function evictsItself(a: number, b: number): boolean {
  const powerOfTwo = a & -a;
  return powerOfTwo > 2 * BLOCK && b >= 16 && b * powerOfTwo > 8 * 1024;
}
