import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { normalNumbers } from '../nn/init/random.ts';
import type { SingularVectors } from '../ops/matrix/powerIteration.ts';

/**
 * Draws random unit vectors for the matrix whose rows are the slices of a tensor along an axis. Follows
 * `nn.manualSeed`.
 */
export function randomVectors({ shape, size }: Tensor, dim: number): SingularVectors {
  const rows = shape[dim]!;
  const [left, right] = [rows, size / rows].map((count) => {
    const vector = normalNumbers([count]);
    return tf.div(vector, tf.norm(vector));
  });
  return { left: left!, right: right! };
}
