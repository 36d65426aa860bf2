import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { formatShape, ParametrizeError } from '../../errors.ts';
import type { Module } from '../../nn/module/module.ts';
import { quotientBySigma, rightVectorFor } from '../../parametrizations/singularVectors.ts';
import { outputAxis } from '../../parametrizations/spectralOptions.ts';
import { WeightNorm } from '../../parametrizations/weightNorm.ts';
import {
  keptAxes,
  keysIn,
  leftAxes,
  type Normalization,
  normalizationNames,
  normalizations,
  partsOf,
  rowAxes,
} from './normalization.ts';

/** One tensor of a module as a state dict has it, in one spelling. */
export interface SpelledTensor {
  /** Its keys, without the path of the module. */
  readonly keys: readonly string[];
  /** How it is normalized; null for a plain tensor. */
  readonly normalization: Normalization | null;
  /** What stands under the keys, by the modern names. */
  readonly parts: Readonly<Record<string, Tensor>>;
  /** How {@link value} is made. */
  readonly rule: string;
  /**
   * The value of the tensor.
   *
   * @throws {@link ParametrizeError} `SHAPE` if the parts do not fit each other
   */
  value(): Tensor;
}

/** How the value is computed from the parts, by their modern names. */
const values: Readonly<
  Record<Normalization, (key: string, parts: Readonly<Record<string, Tensor>>, module: Module) => Tensor>
> = {
  weightNorm: (key, parts) => weightOf(key, parts['original0']!, parts['original1']!),
  spectralNorm: quotientOf,
};

/** What a state dict has for one tensor of a module, in every spelling that is complete. */
export function spelledTensors(
  state: ReadonlyMap<string, Tensor>,
  prefix: string,
  name: string,
  module: Module,
): SpelledTensor[] {
  const found: SpelledTensor[] = [];
  for (const isLegacy of [false, true]) {
    for (const normalization of normalizationNames) {
      const keys = keysIn(name, normalization, isLegacy);
      const there = keys.map((key) => state.get(prefix + key));
      if (there.includes(undefined)) continue;
      const parts = Object.fromEntries(partsOf(normalization).map((part, i) => [part, there[i]!]));
      found.push({
        keys,
        normalization,
        parts,
        rule: normalizations[normalization].rule,
        value: () => values[normalization](prefix + name, parts, module),
      });
    }
  }
  const plain = state.get(prefix + name);
  const [originalKey, leftKey, rightKey] = keysIn(name, 'spectralNorm', true) as [string, string, string];
  const [original, u] = [originalKey, leftKey].map((key) => state.get(prefix + key));
  if (plain !== undefined && original !== undefined && u !== undefined && !state.has(prefix + rightKey)) {
    // Torch before 1.0 saved the value instead of the right vector.
    found.push({
      keys: [originalKey, leftKey, name],
      normalization: 'spectralNorm',
      parts: { original, '0._u': u, '0._v': rightVectorOf(prefix + name, original, u, plain, module) },
      rule: 'as it is',
      value: () => plain,
    });
  } else if (plain !== undefined) {
    found.push({ keys: [name], normalization: null, parts: {}, rule: 'as it is', value: () => plain });
  }
  return found;
}

/** `g · v / ‖v‖`: the axes along which g has more than one element keep a norm of their own. */
function weightOf(key: string, g: Tensor, v: Tensor): Tensor {
  const dim = keptAxes(g.shape, v.shape);
  if (dim === null) throw misfit(key, `g has shape ${formatShape(g.shape)} and v ${formatShape(v.shape)}`);
  const map = new WeightNorm({ dim });
  return map.call(g.rank === 0 || dim.length > 0 ? g : tf.reshape(g, []), v);
}

/** `W / σ`, along the axis that the vectors fit. */
function quotientOf(key: string, parts: Readonly<Record<string, Tensor>>, module: Module): Tensor {
  const [W, u, v] = [parts['original']!, parts['0._u']!, parts['0._v']!];
  const dim = preferred(rowAxes(W.shape, u.shape, v.shape), module, W);
  if (dim === undefined) {
    const shapes = [W, u, v].map(({ shape }) => formatShape(shape));
    throw misfit(key, `the original has shape ${shapes[0]}, u ${shapes[1]} and v ${shapes[2]}`);
  }
  return quotientBySigma(W, dim, { left: u, right: v });
}

/** Of axes that fit, that of the outputs of the module if it is there. */
function preferred(axes: readonly number[], module: Module, W: Tensor): number | undefined {
  const output = outputAxis(module, W);
  return axes.includes(output) ? output : axes[0];
}

/** The right vector with which the original and the left one give the value. */
function rightVectorOf(key: string, W: Tensor, u: Tensor, value: Tensor, module: Module): Tensor {
  const dim = preferred(leftAxes(W.shape, u.shape), module, W);
  if (dim === undefined || !tf.util.arraysEqual(W.shape, value.shape)) {
    const shapes = [W, u, value].map(({ shape }) => formatShape(shape));
    throw misfit(key, `the original has shape ${shapes[0]}, u ${shapes[1]} and the value ${shapes[2]}`);
  }
  const sigma = tf.div(tf.sum(tf.square(W)), tf.sum(tf.mul(W, value)));
  return rightVectorFor(W, dim, u, sigma);
}

const misfit = (key: string, fact: string): ParametrizeError =>
  new ParametrizeError('SHAPE', `the parts of '${key}' do not fit each other: ${fact}`);
