import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { axisIn } from '../core/axes.ts';
import { namedState } from '../nn/module/fields.ts';
import type { Module } from '../nn/module/module.ts';
import type { Normalization } from '../nn/stateDict/normalization.ts';
import { normalizedTensors } from '../nn/stateDict/normalizedTensor.ts';
import { SpectralNorm, spectralNorm } from '../parametrizations/spectralNorm.ts';
import { WeightNorm, weightNorm } from '../parametrizations/weightNorm.ts';
import type { ParametrizationList } from '../parametrize/chain/parametrizationList.ts';
import { registrationOf } from '../parametrize/chain/registry.ts';
import { type Layout, reshaped } from './layout.ts';

/** A normalization of a tensor of a model that torch's tensor can have as well. */
export interface AlikeNormalization {
  readonly normalization: Normalization;
  /** The axes of torch's tensor that its `dim` names. */
  readonly dims: readonly number[];
  /** Normalizes the tensor of a module of a view in the same way, with the same state. */
  register(module: Module, name: string): void;
  /** What the state of the chain in the model is by that of the chain in the view. */
  planFrom(list: ParametrizationList): [Variable, Tensor][];
}

/** How a tensor is normalized, in torch's axes; null if it is not, or not along axes of torch's tensor. */
export function normalizationAlike(host: object, name: string, layout: Layout): AlikeNormalization | null {
  const tensor = normalizedTensors(host).find((candidate) => candidate.name === name);
  if (tensor === undefined || tensor.normalization === null) return null;
  const { state, normalization } = tensor;
  const map = registrationOf(host, name)!.list[0] as WeightNorm | SpectralNorm;
  const rank = layout.shape.length;
  const axes = [map.dim].flat().map((axis) => axisIn(axis, rank)!);
  const dims = layout.torchAxes(axes);
  if (dims === null) return null;
  if (map instanceof SpectralNorm && dims.length !== 1) return null;
  const parts = map instanceof WeightNorm ? () => undefined : vectorAxes;
  const toTorch = (key: string, value: Tensor): Tensor =>
    moved(value, parts(key), layout.shape, axes, (whole) => layout.toTorch(whole));
  const fromTorch = (key: string, value: Tensor): Tensor =>
    moved(value, parts(key), layout.torchShape, dims, (whole) => layout.fromTorch(whole));
  return {
    normalization,
    dims,
    register(module, torchName) {
      if (map instanceof WeightNorm) {
        weightNorm(module, torchName as never, { dim: dims.length === 0 ? null : dims, eps: map.eps });
      } else {
        const { nPowerIterations, eps } = map;
        spectralNorm(module, torchName as never, { dim: dims[0]!, nPowerIterations, eps });
      }
      const own = new Map(namedState(registrationOf(module, torchName)!.list));
      tf.tidy(() => {
        for (const [key, variable] of state) own.get(key)!.assign(toTorch(key, variable));
      });
    },
    planFrom(list) {
      const values = new Map(namedState(list));
      return state.map(([key, variable]) => [variable, fromTorch(key, values.get(key)!)]);
    },
  };
}

/** Which axes a singular vector runs along: those of the rows, or all others. */
const vectorAxes = (key: string): 'rows' | 'columns' | undefined =>
  (({ '0._u': 'rows', '0._v': 'columns' }) as const)[key];

/** Brings a part of a normalized tensor to another layout; a vector by way of a tensor that is 1 along the other axes. */
function moved(
  value: Tensor,
  vector: 'rows' | 'columns' | undefined,
  shape: readonly number[],
  rows: readonly number[],
  move: (value: Tensor) => Tensor,
): Tensor {
  if (value.rank === 0) return tf.clone(value);
  if (vector === undefined) return move(value);
  const isLong = (axis: number): boolean => rows.includes(axis) === (vector === 'rows');
  const whole = tf.reshape(
    value,
    shape.map((size, axis) => (isLong(axis) ? size : 1)),
  );
  return reshaped(move(whole), [value.size]);
}
