import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { Orthogonal, SpectralNorm } from '../../src/index.ts';
import type { Step } from '../measure/tfjsContestant.ts';
import { type Case, scaleOf } from './cases.ts';

/** Makes the tensors of a case and returns the work: an evaluation of the map, as a read in training mode makes it. */
export function mapStep(work: Case): Step {
  const [m, n] = work.shape;
  const original = tf.tidy(() => originalOf(work));
  const dY = wave([m, n], 1.9);
  const map = mapOf(work, original);
  const forward = (x: Tensor) => map.forward(x);
  if (work.pass === 'forward') return { compute: () => [forward(original)] };
  const differentiated = tf.valueAndGrad(forward);
  return {
    compute() {
      const { value, grad } = differentiated(original, dY);
      return [value, grad];
    },
  };
}

/** Numbers of both signs; those of orthogonal matrices with a diagonal of 1, of which torch makes signs. */
function originalOf(work: Case): Tensor {
  const W = tf.mul(wave([...work.shape], 0.7), scaleOf(work));
  if (work.map === 'spectralNorm') return W;
  const identity = tf.eye(work.shape[0]);
  return tf.add(tf.mul(W, tf.sub(1, identity)), identity);
}

function mapOf({ map, shape }: Case, original: Tensor): Orthogonal | SpectralNorm {
  if (map !== 'spectralNorm')
    return new Orthogonal(original, { orthogonalMap: map, useTrivialization: false });
  const norm = new SpectralNorm(original);
  tf.tidy(() => {
    norm._u!.assign(tf.div(wave([shape[0]], 0.3), tf.norm(wave([shape[0]], 0.3))));
    norm._v!.assign(tf.div(wave([shape[1]], 1.3), tf.norm(wave([shape[1]], 1.3))));
  });
  return norm;
}

function wave(shape: number[], phase: number): Tensor {
  const count = tf.util.sizeFromShape(shape);
  return tf.tensor(
    Float32Array.from({ length: count }, (_, i) => Math.sin(phase * (i + 1) * (1 + i / count))),
    shape,
  );
}
