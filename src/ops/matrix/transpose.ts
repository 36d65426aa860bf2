import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { isWasm } from '../../engine/backend.ts';
import { applyLinear } from '../linearMap/linearMap.ts';

/**
 * Transposes a matrix, or every matrix of a batch.
 *
 * `y[…, j, i] = x[…, i, j]`
 *
 * @remarks **Shape**: x `[..., a, b]`; output `[..., b, a]`. **Gradient**: of any order; it is the same map.
 * **Ownership**: returns a new tensor, as any op, with numbers of its own, also where a or b is 1: the matrix product
 * of the wasm backend knows what it has prepared for a second factor by its data, would take it for that of the other
 * shape, and damage the heap.
 */
export function transpose<T extends Tensor = Tensor>(x: Tensor): T {
  const [batch, a, b] = [x.shape.slice(0, -2), x.shape.at(-2)!, x.shape.at(-1)!];
  // An empty tensor would trap on wasm.
  if (x.size === 0) return tf.reshape(x, [...batch, b, a]) as Tensor as T;
  // The other direction is the gradient's.
  if (!isWasm() || !(evictsItself(a, b) || evictsItself(b, a))) return swapLastAxes(x) as T;
  return tf.tidy(() => {
    const matrices = tf.reshape(x, [tf.util.sizeFromShape(batch), a, b]);
    const y = applyLinear({ apply: byBlocks, transpose: byBlocks }, matrices);
    return tf.reshape(y, [...batch, b, a]) as Tensor as T;
  });
}

function swapLastAxes(x: Tensor): Tensor {
  const axes = x.shape.map((_, axis) => axis);
  const last = x.rank - 1;
  return tf.transpose(x, [...axes.slice(0, -2), last, last - 1]);
}

/**
 * By blocks where that is faster, which is up to 25 times: the kernel of the wasm backend writes down the columns of
 * its output, a few numbers in each row.
 */
function byBlocks(x: Tensor): Tensor {
  const [n, a, b] = x.shape as [number, number, number];
  if (!evictsItself(a, b)) return swapLastAxes(x);
  const blocks = swapLastAxes(tf.reshape(x, [(n * a) / BLOCK, BLOCK, b]));
  return tf.reshape(tf.transpose(tf.reshape(blocks, [n, a / BLOCK, b, BLOCK]), [0, 2, 1, 3]), [n, b, a]);
}

/** Rows of a block: two lines of a cache. */
const BLOCK = 32;

/**
 * True if the rows of the output, b of length a, displace each other from the first-level cache before they are full.
 *
 * A cache finds the place of a number by its address modulo 4 KiB, that is 1,024 numbers, and has about eight places
 * for each. So of rows whose length has a factor 2ᵏ no more than `8 · 1024 / 2ᵏ` stay.
 */
function evictsItself(a: number, b: number): boolean {
  const powerOfTwo = a & -a;
  return powerOfTwo > 2 * BLOCK && b >= 16 && b * powerOfTwo > 8 * 1024;
}
