import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { axisIn } from '../core/axes.ts';
import { namedState } from '../nn/module/fields.ts';
import type { Module } from '../nn/module/module.ts';
import { normalizedTensors } from '../nn/module/normalizedTensor.ts';
import type { HookKeys } from '../nn/stateDict/hookKeys.ts';
import type { ParametrizationList } from '../parametrize/chain/parametrizationList.ts';
import { registrationOf } from '../parametrize/chain/registry.ts';
import { registerDefined } from '../parametrize/define.ts';
import { type AnyDefinition, configOf, definitionOf } from '../parametrize/definition.ts';
import type { Parametrization } from '../parametrize/parametrization.ts';
import { type Layout, reshaped } from './layout.ts';

/** A parametrization of a tensor of a model that torch's tensor can also have. */
export interface AlikeNormalization {
  readonly hookKeys: HookKeys;
  /** The axes in torch's tensor. */
  readonly dims: readonly number[];
  /** Registers the same parametrization, with the same state, on the tensor of a module of a view. */
  register(module: Module, name: string): void;
  /** Returns the variables of the chain in the model with their values from the chain in the view. */
  planFrom(view: ParametrizationList): [Variable, Tensor][];
}

/** Returns the normalization of a tensor in torch's axes, or null if torch's tensor cannot have it. */
export function normalizationAlike(host: object, name: string, layout: Layout): AlikeNormalization | null {
  const tensor = normalizedTensors(host).find((candidate) => candidate.name === name);
  if (tensor === undefined || tensor.hookKeys === null) return null;
  const { state, hookKeys } = tensor;
  const map = registrationOf(host, name)!.list[0] as Parametrization;
  const definition = definitionOf(map)!;
  const axes = mainAxesOf(map, layout.shape.length);
  const dims = layout.torchAxes(axes);
  if (dims === null) return null;
  const config = configOf(definition, map);
  const other = axesOption(definition, config, dims);
  if (other === null) return null;
  const parts = definition.axes?.vectors ?? {};
  const toTorch = (key: string, value: Tensor): Tensor =>
    moved(value, parts[key], layout.shape, axes, (whole) => layout.toTorch(whole));
  const fromTorch = (key: string, value: Tensor): Tensor =>
    moved(value, parts[key], layout.torchShape, dims, (whole) => layout.fromTorch(whole));
  return {
    hookKeys,
    dims,
    register(module, torchName) {
      registerDefined(definition, module, torchName, { ...config, ...other });
      const view = new Map(namedState(registrationOf(module, torchName)!.list));
      tf.tidy(() => {
        for (const [key, variable] of state) view.get(key)!.assign(toTorch(key, variable));
      });
    },
    planFrom(view) {
      const values = new Map(namedState(view));
      return state.map(([key, variable]) => [variable, fromTorch(key, values.get(key)!)]);
    },
  };
}

/** Returns the parts of a parametrized tensor that are vectors, which have no layout. */
export const vectorsOf = (host: object, name: string): string[] =>
  Object.keys(definitionOf(registrationOf(host, name)?.list[0])?.axes?.vectors ?? {});

/** Returns the axes of a parametrization, counted from the front. */
export function mainAxesOf(map: Parametrization, rank: number): number[] {
  const definition = definitionOf(map);
  const axes = definition?.axes === undefined ? null : configOf(definition, map)[definition.axes.option];
  return axes === null ? [] : [axes as number | readonly number[]].flat().map((axis) => axisIn(axis, rank)!);
}

/** Returns the option for the axes with other axes, or null if it cannot hold their number. */
export function axesOption(
  { axes: definition }: AnyDefinition,
  config: Readonly<Record<string, unknown>>,
  axes: readonly number[],
): Record<string, unknown> | null {
  if (definition === undefined) return {};
  const isOne = typeof config[definition.option] === 'number';
  if (isOne && axes.length !== 1) return null;
  return { [definition.option]: isOne ? axes[0] : axes };
}

/**
 * Converts a part of a normalized tensor to another layout. A vector is converted as a tensor with length 1 along the
 * other axes.
 */
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
