import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkOptions } from '../../core/checkOptions.ts';
import { type ParametrizeError, refusal } from '../../core/errors.ts';
import { typeName } from '../../core/text.ts';
import { Module } from '../../nn/module/module.ts';
import { addedHostKindOf } from '../../parametrize/host/hostKind.ts';
import { transaction } from '../../parametrize/transaction.ts';
import { checkModel } from '../checkModel.ts';
import { candidatesOf } from '../select/candidate.ts';
import { type Selector, selectorKeys } from '../select/selector.ts';
import { type NormedLayer, normedLayers } from './normedLayers.ts';

/** Options of {@link initializeFromBatch}: the layers, and the standard deviation. */
export interface BatchInitialization extends Selector {
  /** c, the standard deviation of every output. Default 1. */
  readonly scale?: number;
  /** ε, added to the variance. Default 1e-10. */
  readonly eps?: number;
}

/** The output of one layer after {@link initializeFromBatch}, before its activation. */
export interface BatchInitialized {
  /** The path of the layer. */
  readonly path: string;
  /** The mean over the batch and all outputs; 0, unless the layer has no bias. */
  readonly mean: number;
  /** The standard deviation over the batch and all outputs; less than the scale if outputs are constant. */
  readonly std: number;
}

/**
 * Initializes weight-normalized layers from one batch, so that the outputs of each have mean 0 and one standard
 * deviation before the activation.
 *
 * `g ← g·c / σ`, `b ← (b − μ)·c / σ`, with μ and `σ = √(variance + ε)` of each output of the layer over the batch and
 * all positions. A layer gets its input from layers that are initialized already. v stays. A layer without a bias keeps
 * its mean.
 *
 * @remarks
 * **State**: g and biases. The pass moves no buffers, such as running means. The mode of a module stays: call `eval()`
 * first to leave dropout out.
 *
 * A layer that runs several times is initialized by its first run. An output that is the same for the whole batch keeps
 * its g; `std` of the result tells.
 *
 * @param model - a module or a model of tf.layers
 * @param batch - the inputs of the model
 * @param options - `scale` and `eps`, and a selector of the layers; default all that are weight-normalized
 * @returns the outputs of each layer, in the order of the passes
 * @throws {@link ParametrizeError} `NOT_PARAMETRIZED` if a selected tensor is not weight-normalized, or none is;
 * `OPTION` for a `dim` that keeps no norm for each output, such as 0 on a transposed convolution, or for a layer that
 * the batch does not reach; `UNSUPPORTED` for recurrent layers, embeddings and longer chains; `UNMATCHED_RULE`,
 * `PATTERN`; and the errors of the pass. Nothing has changed then.
 * @example
 * ```ts
 * console.log(await initializeFromBatch(model, x)); // [{ path: '0', mean: 0, std: 1 }, …]
 * ```
 * @see Salimans and Kingma 2016, section 3
 */
export async function initializeFromBatch(
  model: object,
  batch: Tensor | readonly Tensor[],
  options: BatchInitialization = {},
): Promise<readonly BatchInitialized[]> {
  const caller = 'initializeFromBatch';
  checkModel(caller, model);
  checkOptions(caller, options, [...selectorKeys, 'scale', 'eps']);
  const { scale = 1, eps = 1e-10, ...selector } = options;
  checkPositive(caller, { scale, eps });
  const inputs = [batch].flat() as Tensor[];
  const wrong = inputs.find((input: unknown) => !(input instanceof tf.Tensor));
  if (inputs.length === 0 || wrong !== undefined) {
    throw refusal(
      'OPTION',
      caller,
      `the batch is ${typeName(wrong ?? batch)}`,
      'Pass a tensor, or several in an array.',
    );
  }
  const layers = normedLayers(caller, candidatesOf(caller, model), selector);
  const statistics: { path: string; values: Tensor }[] = [];
  try {
    transaction(() => {
      tf.tidy(() => {
        keepingBuffers(model, () => {
          pass(caller, model, inputs, layers, (layer, y) => {
            const after = initializeLayer(caller, layer, y, scale, eps);
            const { mean, variance } = tf.moments(after);
            const values = tf.keep(tf.stack([mean, tf.sqrt(variance)]));
            statistics.push({ path: layer.path, values });
            return after;
          });
        });
      });
    });
    return await Promise.all(
      statistics.map(async ({ path, values }) => {
        const [mean, std] = await values.data();
        return { path, mean: mean!, std: std! };
      }),
    );
  } finally {
    for (const { values } of statistics) values.dispose();
  }
}

/** Runs the model; each layer hands its output to `change` the first time. */
function pass(
  caller: string,
  model: object,
  inputs: readonly Tensor[],
  layers: readonly NormedLayer[],
  change: (layer: NormedLayer, y: Tensor) => Tensor,
): void {
  const waiting = new Set(layers);
  const undo = layers.map((layer) =>
    layer.output.replace((y) => {
      if (!waiting.delete(layer)) return y;
      return change(layer, y);
    }),
  );
  try {
    if (model instanceof Module) (model.call as (...args: unknown[]) => unknown)(...inputs);
    else addedHostKindOf(model)!.run!(model, inputs);
  } finally {
    for (const stop of undo) stop();
  }
  const [missed] = waiting;
  if (missed === undefined) return;
  throw refusal(
    'OPTION',
    caller,
    `the batch does not reach '${missed.path}'`,
    'Exclude the layer, or pass a batch that reaches it.',
  );
}

/** Changes g and the bias of a layer by its output; returns the output that it has then. */
function initializeLayer(
  caller: string,
  { path, g, isLog, bias, output }: NormedLayer,
  y: Tensor,
  scale: number,
  eps: number,
): Tensor {
  const axis = output.axis(y.rank);
  const others = y.shape.map((_, i) => i).filter((i) => i !== axis);
  if (y.shape[axis] !== g.size) {
    throw refusal(
      'UNSUPPORTED',
      caller,
      `'${path}' has ${g.size} norms for ${y.shape[axis]} outputs`,
      'Exclude it: the outputs of a transposed convolution with groups share norms.',
    );
  }
  const { mean, variance } = tf.moments(y, others);
  // A constant output has no standard deviation to divide by.
  const varies = tf.step(tf.sub(variance, eps));
  const factor = tf.add(tf.mul(varies, tf.div(scale, tf.sqrt(tf.add(variance, eps)))), tf.sub(1, varies));
  const shift = bias === null ? tf.zerosLike(mean) : mean;
  const change = tf.reshape(factor, g.shape);
  g.assign(isLog ? tf.add(g as Tensor, tf.log(change)) : tf.mul(g as Tensor, change));
  bias?.write(tf.mul(tf.sub(bias.read(), shift), factor));
  const spread = (values: Tensor): Tensor =>
    tf.reshape(
      values,
      y.shape.map((size, i) => (i === axis ? size : 1)),
    );
  return tf.mul(tf.sub(y, spread(shift)), spread(factor));
}

/** Runs a function; gives the buffers of a module their values back. */
function keepingBuffers(model: object, run: () => void): void {
  const buffers = model instanceof Module ? model.buffers() : [];
  const before = buffers.map((buffer) => tf.clone(buffer as Tensor));
  run();
  for (const [i, buffer] of buffers.entries()) buffer.assign(before[i]!);
}

function checkPositive(caller: string, options: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (Number.isFinite(value) && value > 0) continue;
    throw refusal('OPTION', caller, `${name} is ${String(value)}`, 'Pass a positive number.');
  }
}
