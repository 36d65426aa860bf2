import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { formatShape, ParametrizeError } from '../errors.ts';
import type { Module } from '../nn/module.ts';
import { quotientBySigma, rightVectorFor } from '../parametrizations/singularVectors.ts';
import { outputAxis } from '../parametrizations/spectralOptions.ts';
import { WeightNorm } from '../parametrizations/weightNorm.ts';
import { keyIn, legacySuffixes, type Normalization } from './normalizedTensor.ts';

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

/**
 * What a state dict has for one tensor of a module, in every spelling that is complete.
 *
 * `weight_v` means two things: with `weight_g` it is the direction of weight normalization, with `weight_orig` a vector of
 * spectral normalization. Alone it means nothing.
 */
export function spelledTensors(
  state: ReadonlyMap<string, Tensor>,
  prefix: string,
  name: string,
  module: Module,
): SpelledTensor[] {
  const found: SpelledTensor[] = [];
  const normalized = (normalization: Normalization, isLegacy: boolean): Record<string, Tensor> | null => {
    const modern = Object.keys(legacySuffixes[normalization]);
    const entries = modern.map((part) => [
      part,
      state.get(prefix + keyIn({ name, normalization }, part, isLegacy)),
    ]);
    return entries.every(([, value]) => value !== undefined) ? Object.fromEntries(entries) : null;
  };
  for (const isLegacy of [false, true]) {
    const keysOf = (normalization: Normalization, parts: object): string[] =>
      Object.keys(parts).map((part) => keyIn({ name, normalization }, part, isLegacy));
    const weight = normalized('weightNorm', isLegacy);
    if (weight !== null) {
      found.push({
        keys: keysOf('weightNorm', weight),
        normalization: 'weightNorm',
        parts: weight,
        rule: 'g · v / ‖v‖',
        value: () => weightOf(prefix + name, weight['original0']!, weight['original1']!),
      });
    }
    const spectral = normalized('spectralNorm', isLegacy);
    if (spectral !== null) {
      found.push({
        keys: keysOf('spectralNorm', spectral),
        normalization: 'spectralNorm',
        parts: spectral,
        rule: 'W / σ',
        value: () => quotientOf(prefix + name, spectral, module),
      });
    }
  }
  const plain = state.get(prefix + name);
  const [original, u] = ['_orig', '_u'].map((suffix) => state.get(prefix + name + suffix));
  if (plain !== undefined && original !== undefined && u !== undefined && !state.has(`${prefix}${name}_v`)) {
    // Torch before 1.0 saved the value instead of the right vector.
    found.push({
      keys: [`${name}_orig`, `${name}_u`, name],
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
  const fits =
    g.rank === 0 ||
    (g.rank === v.rank && g.shape.every((size, axis) => size === 1 || size === v.shape[axis]));
  if (!fits) throw misfit(key, `g has shape ${formatShape(g.shape)} and v ${formatShape(v.shape)}`);
  const dim = g.shape.flatMap((size, axis) => (size === 1 ? [] : [axis]));
  const map = new WeightNorm({ dim });
  return map.call(g.rank === 0 || dim.length > 0 ? g : tf.reshape(g, []), v);
}

/** `W / σ`, along the axis that the vectors fit. */
function quotientOf(key: string, parts: Readonly<Record<string, Tensor>>, module: Module): Tensor {
  const [W, u, v] = [parts['original']!, parts['0._u']!, parts['0._v']!];
  const fits = (axis: number): boolean =>
    u.rank === 1 && v.rank === 1 && W.shape[axis] === u.size && W.size === u.size * v.size;
  const dim = [outputAxis(module, W), ...W.shape.keys()].find(fits);
  if (dim === undefined) {
    const shapes = [W, u, v].map(({ shape }) => formatShape(shape));
    throw misfit(key, `the original has shape ${shapes[0]}, u ${shapes[1]} and v ${shapes[2]}`);
  }
  return quotientBySigma(W, dim, { left: u, right: v });
}

/** The right vector with which the original and the left one give the value. */
function rightVectorOf(key: string, W: Tensor, u: Tensor, value: Tensor, module: Module): Tensor {
  const dim = [outputAxis(module, W), ...W.shape.keys()].find(
    (axis) => u.rank === 1 && W.shape[axis] === u.size,
  );
  if (dim === undefined || !tf.util.arraysEqual(W.shape, value.shape)) {
    const shapes = [W, u, value].map(({ shape }) => formatShape(shape));
    throw misfit(key, `the original has shape ${shapes[0]}, u ${shapes[1]} and the value ${shapes[2]}`);
  }
  const sigma = tf.div(tf.sum(tf.square(W)), tf.sum(tf.mul(W, value)));
  return rightVectorFor(W, dim, u, sigma);
}

const misfit = (key: string, fact: string): ParametrizeError =>
  new ParametrizeError('SHAPE', `the parts of '${key}' do not fit each other: ${fact}`);
