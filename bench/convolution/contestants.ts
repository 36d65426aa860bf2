import type { Tensor, Tensor4D, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { nn } from 'tfjs-parametrize';
import { toChannelsFirst, toChannelsLast, toFilter } from '../../src/nn/layout/channelsLast.ts';
import { convolutionNd } from '../../src/ops/convolution/convolutionNd.ts';
import type { Step } from '../measure/tfjsContestant.ts';
import { type Case, inputsOf, type Pass, type Wave } from './cases.ts';

/** Makes the tensors of a case and returns the work. */
export type MakeStep = (work: Case, pass: Pass) => Step;

/** The layers of nn in a Sequential. */
export const layers: MakeStep = (work, pass) => withLayers(work, pass, (model, x) => model.call(x));

/** The layers of nn, each called by itself. */
export const layerByLayer: MakeStep = (work, pass) =>
  withLayers(work, pass, (model, x) => {
    let y = x;
    for (const layer of model) y = layer.call(y) as Tensor;
    return y;
  });

/** A step of layers. */
function withLayers(work: Case, pass: Pass, run: (model: nn.Sequential, x: Tensor) => Tensor): Step {
  const inputs = inputsOf(work);
  const [x, dy] = [tensorOf(inputs.x), tensorOf(inputs.dy)];
  const convolutions = inputs.weights.map((weight, i) => {
    const [out, channels] = weight.shape as [number, number];
    const options = { padding: (work.kernel - 1) / 2 };
    const layer =
      work.size.length === 1
        ? new nn.Conv1d(channels, out, work.kernel, options)
        : new nn.Conv2d(channels, out, work.kernel, options);
    layer.loadStateDict({ weight: tensorOf(weight), bias: tensorOf(inputs.biases[i]!) });
    return layer;
  });
  const model = new nn.Sequential(
    ...convolutions.flatMap((layer, i) => (i === 0 ? [layer] : [new nn.ReLU(), layer])),
  );
  const weights = convolutions.map(({ weight }) => weight as Variable);
  const biases = convolutions.map(({ bias }) => bias as Variable);
  return { compute: both(pass, (x) => run(model, x), [x, ...weights, ...biases], dy) };
}

/** What the layers compute with, on tensors whose channels are last from beginning to end. */
export const channelsLast: MakeStep = (work, pass) =>
  withChannelsLast(work, pass, (x, filter) =>
    convolutionNd(x, filter, {
      strides: work.size.map(() => 1),
      dilations: work.size.map(() => 1),
      pads: work.size.map(() => [(work.kernel - 1) / 2, (work.kernel - 1) / 2]),
      groups: 1,
    }),
  );

/** The convolution of tfjs, which wants the channels last. */
export const tfjsKernels: MakeStep = (work, pass) =>
  withChannelsLast(work, pass, (x, filter) =>
    x.rank === 3
      ? tf.conv1d(x as tf.Tensor3D, filter as tf.Tensor3D, 1, 'same')
      : tf.conv2d(x as Tensor4D, filter as Tensor4D, 1, 'same'),
  );

/** What each layer does besides: from torch's layouts to those of the kernels and back. */
export const layoutChanges: MakeStep = (work, pass) => {
  const { x, weights, dy } = inputsOf(work);
  const changes: (() => Tensor[])[] = [];
  const add = (change: (t: Tensor) => Tensor, t: Tensor) => {
    const dChanged = change(t);
    changes.push(both(pass, change, [t], dChanged));
  };
  weights.forEach((weight, i) => {
    const outputs = { ...dy, shape: [work.batch, work.channels[i + 1]!, ...work.size] };
    add(toChannelsLast, tensorOf({ ...x, shape: [work.batch, work.channels[i]!, ...work.size] }));
    add(toFilter, tensorOf(weight));
    add(
      toChannelsFirst,
      tf.tidy(() => toChannelsLast(tensorOf(outputs))),
    );
  });
  return { compute: () => changes.flatMap((change) => change()) };
};

/** A step on tensors whose channels are last. */
function withChannelsLast(work: Case, pass: Pass, convolve: (x: Tensor, filter: Tensor) => Tensor): Step {
  const inputs = inputsOf(work);
  const last = (wave: Wave) => tf.tidy(() => toChannelsLast(tensorOf(wave)));
  const filters = inputs.weights.map((wave) => tf.tidy(() => toFilter(tensorOf(wave))));
  const biases = inputs.biases.map(tensorOf);
  const model = (x: Tensor) =>
    filters.reduce((y, filter, i) => tf.add(convolve(i === 0 ? y : tf.relu(y), filter), biases[i]!), x);
  return {
    compute: both(pass, model, [last(inputs.x), ...filters, ...biases], last(inputs.dy)),
    comparable: (results) => inTorchLayouts(results, filters.length),
  };
}

/** The output, and with the backward pass the gradients of all variables, of which the first is the input. */
function both(
  pass: Pass,
  f: (x: Tensor) => Tensor,
  variables: readonly Tensor[],
  dy: Tensor,
): () => Tensor[] {
  if (pass === 'forward') return () => [f(variables[0]!)];
  const differentiated = tf.valueAndGrads((x) => f(x!));
  return () => {
    const { value, grads } = differentiated([...variables], dy);
    return [value, ...grads];
  };
}

/** The output, and the gradients of the input, the filters and the biases, in torch's layouts. */
function inTorchLayouts(results: readonly Tensor[], layerCount: number): Tensor[] {
  const isFilter = (i: number) => i >= 2 && i < 2 + layerCount;
  return results.map((result, i) => {
    if (result.rank === 1) return result;
    if (!isFilter(i)) return toChannelsFirst(result);
    const taps = Array.from({ length: result.rank - 2 }, (_, axis) => axis);
    return tf.transpose(result, [result.rank - 1, result.rank - 2, ...taps]);
  });
}

function tensorOf({ shape, phase, scale }: Wave): Tensor {
  const count = tf.util.sizeFromShape([...shape]);
  const numbers = Float32Array.from({ length: count }, (_, i) => Math.sin(phase * (i + 1)) * scale);
  return tf.tensor(numbers, [...shape]);
}
