import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { isWasm } from '../../engine/backend.ts';
import { applyLinear } from '../linearMap/linearMap.ts';

/**
 * Transposes a matrix, or every matrix of a batch.
 *
 * `y[…, j, i] = x[…, i, j]`
 *
 * @remarks
 * **Shape**: x `[..., a, b]`; output `[..., b, a]`.
 * **Gradient**: of any order; it is the same map.
 * **Ownership**: returns a new tensor, as any op, with its own data, even if a or b is 1. The matrix product of the
 * wasm backend caches the packed form of its second factor by the data. With shared data, it would use the packed form
 * of the other shape and damage the heap.
 */
export function transpose<T extends Tensor = Tensor>(x: Tensor): T {
  const [batch, a, b] = [x.shape.slice(0, -2), x.shape.at(-2)!, x.shape.at(-1)!];
  // An empty tensor would trap on wasm.
  if (x.size === 0) return tf.reshape(x, [...batch, b, a]) as Tensor as T;
  // The gradient transposes in the other direction.
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
 * Transposes by blocks, which is up to 25 times as fast for some shapes. The kernel of the wasm backend writes its
 * output down the columns, a few numbers in each row.
 */
function byBlocks(x: Tensor): Tensor {
  const [n, a, b] = x.shape as [number, number, number];
  if (!evictsItself(a, b)) return swapLastAxes(x);
  const blocks = swapLastAxes(tf.reshape(x, [(n * a) / BLOCK, BLOCK, b]));
  return tf.reshape(tf.transpose(tf.reshape(blocks, [n, a / BLOCK, b, BLOCK]), [0, 2, 1, 3]), [n, b, a]);
}

/** The rows of a block: two cache lines. */
const BLOCK = 32;

/**
 * True if the rows of the output, b of length a, evict each other from the first-level cache before they are complete.
 *
 * A cache places a number by its address modulo 4 KiB (1,024 numbers), and has about eight places for each remainder.
 * So at most `8 · 1024 / 2ᵏ` rows stay if their length has a factor 2ᵏ.
 */
function evictsItself(a: number, b: number): boolean {
  const powerOfTwo = a & -a;
  return powerOfTwo > 2 * BLOCK && b >= 16 && b * powerOfTwo > 8 * 1024;
}
