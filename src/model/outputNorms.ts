import * as tf from '@tensorflow/tfjs-core';
import { axisIn } from '../core/axes.ts';
import { scoped } from '../engine/scope.ts';
import { outputAxis } from '../nn/module/outputAxis.ts';
import { norm } from '../ops/norm/norm.ts';
import { siteOf } from '../parametrize/host/site.ts';

/** A parametrized tensor. */
interface Place {
  readonly host: object;
  readonly tensor: string;
}

/**
 * Returns the Euclidean norm of each output of computed tensors: over every axis but those that number the outputs.
 * Nothing advances a state: no power iteration, no random draw.
 *
 * @returns for each tensor its norms; null for a tensor that has less than two axes or is not float32
 */
export async function outputNorms(
  caller: string,
  places: readonly Place[],
): Promise<(Float32Array | null)[]> {
  const tensors = scoped(caller, () =>
    places.map(({ host, tensor }) => {
      const site = siteOf(host, tensor);
      const value = site.inspect(caller);
      if (value.rank < 2 || value.dtype !== 'float32') return null;
      const axes = site.outputAxes(value.rank) ?? [outputAxis(host, value)];
      const kept = axes.map((axis) => axisIn(axis, value.rank));
      return norm(
        value,
        value.shape.map((_, axis) => axis).filter((axis) => !kept.includes(axis)),
      );
    }),
  );
  try {
    return await Promise.all(
      tensors.map((norms) => (norms === null ? null : (norms.data() as Promise<Float32Array>))),
    );
  } finally {
    tf.dispose(tensors.filter((norms) => norms !== null));
  }
}
