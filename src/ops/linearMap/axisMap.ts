import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { applyLinear } from './linearMap.ts';

/** The inputs of an output: their indices and weights. */
export type Terms = readonly (readonly [index: number, weight: number])[];

/**
 * Applies a linear map along one axis, given by the few inputs of each output. Resizing and averages of parts are such
 * maps.
 *
 * `y[…, o, …] = Σ weight · x[…, index, …]` over the terms of o
 *
 * @remarks
 * **Shape**: x `[…, size, …]`; output `[…, terms.length, …]`.
 * **Gradient**: of any order.
 * **Ownership**: returns a new tensor, as any op.
 */
export function mapAxis(x: Tensor, axis: number, terms: readonly Terms[]): Tensor {
  const size = x.shape[axis]!;
  const outer = tf.util.sizeFromShape(x.shape.slice(0, axis));
  const inner = tf.util.sizeFromShape(x.shape.slice(axis + 1));
  // The axis is moved to the end. A product along another axis packs every image again, which takes longer than the
  // transpose.
  const rows =
    inner === 1
      ? tf.reshape(x, [outer, size])
      : tf.reshape(tf.transpose(tf.reshape(x, [outer, size, inner]), [0, 2, 1]), [outer * inner, size]);
  const mapped = mapRows(rows as Tensor2D, terms);
  const shape = [...x.shape.slice(0, axis), terms.length, ...x.shape.slice(axis + 1)];
  if (inner === 1) return tf.reshape(mapped, shape);
  return tf.reshape(tf.transpose(tf.reshape(mapped, [outer, inner, terms.length]), [0, 2, 1]), shape);
}

/** The cost of gathering one number on wasm and cpu, in multiplications of a matrix product. */
const GATHER_COST = 250;

function mapRows(x: Tensor2D, terms: readonly Terms[]): Tensor {
  const size = x.shape[1];
  const most = terms.reduce((longest, { length }) => Math.max(longest, length), 0);
  if (size <= most * GATHER_COST) return tf.matMul(x, matrixOf(terms, size));
  const transposed = transposeTerms(terms, size);
  return applyLinear({ apply: (x) => gather(x, terms), transpose: (y) => gather(y, transposed) }, x);
}

/** `[size, terms.length]` */
function matrixOf(terms: readonly Terms[], size: number): Tensor2D {
  const values = new Float32Array(size * terms.length);
  terms.forEach((list, output) => {
    for (const [index, weight] of list) values[index * terms.length + output]! += weight;
  });
  return tf.tensor2d(values, [size, terms.length]);
}

/** Returns the outputs that each input is part of. */
function transposeTerms(terms: readonly Terms[], size: number): Terms[] {
  const transposed = Array.from({ length: size }, (): [number, number][] => []);
  terms.forEach((list, output) => {
    for (const [index, weight] of list) transposed[index]!.push([output, weight]);
  });
  return transposed;
}

/** Adds the first term of every output, the second term, and so on. */
function gather(x: Tensor, terms: readonly Terms[]): Tensor {
  const most = terms.reduce((longest, { length }) => Math.max(longest, length), 1);
  const sums = Array.from({ length: most }, (_, k) => {
    const indices = tf.tensor1d(
      Int32Array.from(terms, (list) => list[k]?.[0] ?? 0),
      'int32',
    );
    const weights = tf.tensor1d(Float32Array.from(terms, (list) => list[k]?.[1] ?? 0));
    return tf.mul(tf.gather(x, indices, 1), weights);
  });
  return sums.reduce((total, term) => tf.add(total, term));
}
