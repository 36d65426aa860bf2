import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { nn, weightNorm } from 'tfjs-parametrize';

// The networks of test/golden/generate_weight_normed.py in nn and in tf.layers.

interface Packed {
  readonly shape: number[];
  readonly data: number[];
}

const folder = new URL('../../golden/weight_normed/', import.meta.url);

const outputs = JSON.parse(readFileSync(new URL('outputs.json', folder), 'utf8')) as Record<
  NetworkName,
  { readonly x: Packed; readonly y: Packed }
>;

export type NetworkName = 'balrog' | 'deepsdf';

/** What torch saved. */
export const torchFile = (name: NetworkName): Uint8Array => readFileSync(new URL(`${name}.pt`, folder));

/** What torch was given and gave; channels second. */
export const goldenOf = (name: NetworkName): { x: tf.Tensor; y: tf.Tensor } => {
  const { x, y } = outputs[name];
  return { x: tf.tensor(x.data, x.shape), y: tf.tensor(y.data, y.shape) };
};

const normalized = <M extends nn.Conv1d | nn.Linear>(layer: M, isNormalized: boolean): M => {
  if (isNormalized) weightNorm(layer as nn.Linear);
  return layer;
};

/** Cuts off what a causal convolution may not see. */
class Chomp extends nn.Module {
  readonly size: number;
  constructor(size: number) {
    super();
    this.size = size;
  }
  forward(x: tf.Tensor): tf.Tensor {
    return tf.slice(x, [0, 0, 0], [-1, -1, x.shape[2]! - this.size]);
  }
}

/** Its convolutions have two paths: their fields, and their places in `net`. */
class Block extends nn.Module {
  conv1: nn.Conv1d;
  conv2: nn.Conv1d;
  net: nn.Sequential;
  downsample: nn.Conv1d | null;
  constructor(inputs: number, channels: number, size: number, dilation: number, isNormalized: boolean) {
    super();
    const padding = (size - 1) * dilation;
    const make = (from: number): nn.Conv1d =>
      normalized(new nn.Conv1d(from, channels, size, { padding, dilation }), isNormalized);
    this.conv1 = make(inputs);
    this.conv2 = make(channels);
    this.net = new nn.Sequential(
      this.conv1,
      new Chomp(padding),
      new nn.ReLU(),
      new nn.Dropout(0.05),
      this.conv2,
      new Chomp(padding),
      new nn.ReLU(),
      new nn.Dropout(0.05),
    );
    this.downsample = inputs === channels ? null : new nn.Conv1d(inputs, channels, 1);
  }
  forward(x: tf.Tensor): tf.Tensor {
    const y = this.net.call(x) as tf.Tensor;
    return tf.relu(tf.add(y, this.downsample === null ? x : this.downsample.call(x)));
  }
}

class Tcn extends nn.Module {
  network: nn.Sequential;
  constructor(isNormalized: boolean) {
    super();
    this.network = new nn.Sequential(
      ...[4, 5, 5].map((inputs, i) => new Block(inputs, 5, 3, 2 ** i, isNormalized)),
    );
  }
  forward(x: tf.Tensor): tf.Tensor {
    return this.network.call(x) as tf.Tensor;
  }
}

/** A finder of genes. */
export class Balrog extends nn.Module {
  tcn: Tcn;
  linear = new nn.Linear(5, 1);
  constructor(isNormalized: boolean) {
    super();
    this.tcn = new Tcn(isNormalized);
    this.eval();
  }
  forward(x: tf.Tensor): tf.Tensor {
    const y = tf.transpose(this.tcn.call(x), [0, 2, 1]);
    return tf.transpose(this.linear.call(y), [0, 2, 1]);
  }
}

const widths = [7, 12, 12, 12, 12, 12, 12, 12, 12, 1];

/** A distance to a shape: a field lin0, …, lin8 for each of its layers. */
export class DeepSdf extends nn.Module {
  constructor(isNormalized: boolean) {
    super();
    for (let i = 0; i < 9; i++) {
      const layer = new nn.Linear(widths[i]!, i === 3 ? 5 : widths[i + 1]!);
      Object.assign(this, { [`lin${i}`]: normalized(layer, isNormalized && i < 8) });
    }
  }
  forward(inputs: tf.Tensor): tf.Tensor {
    let x = inputs;
    for (let i = 0; i < 9; i++) {
      const layer = (this as unknown as Record<string, nn.Linear>)[`lin${i}`]!;
      const y = layer.call(i === 4 ? tf.concat([x, inputs], 1) : x);
      x = i === 8 ? tf.tanh(y) : tf.relu(y);
    }
    return x;
  }
}

/** Zeros before a sequence: the causal padding of conv1d is not there in tfjs. */
class PadBefore extends tf.layers.Layer {
  static className = 'PadBefore';
  readonly length: number;
  constructor(length: number) {
    super({});
    this.length = length;
  }
  override computeOutputShape([batch, length, channels]: number[]): tf.Shape {
    return [batch!, length! + this.length, channels!];
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x] = [inputs].flat() as [tf.Tensor];
    return tf.pad(x, [
      [0, 0],
      [this.length, 0],
      [0, 0],
    ]);
  }
}

/** How a layer is called: by its name in torch, or not at all. */
export type Naming = (name: string) => { name?: string };

/** The finder of genes, channels last. */
export function balrogLayers(naming: Naming): tf.LayersModel {
  const input = tf.input({ shape: [9, 4] });
  let x = input;
  for (const [i, inputs] of [4, 5, 5].entries()) {
    const path = `tcn.network.${i}`;
    const conv = (name: string, options: object): tf.layers.Layer =>
      tf.layers.conv1d({ filters: 5, kernelSize: 1, ...options, ...naming(`${path}.${name}`) });
    const causal = (name: string, from: tf.SymbolicTensor): tf.SymbolicTensor => {
      const options = { kernelSize: 3, dilationRate: 2 ** i, activation: 'relu' };
      return conv(name, options).apply(new PadBefore(2 ** (i + 1)).apply(from)) as tf.SymbolicTensor;
    };
    const second = causal('conv2', causal('conv1', x));
    const beside = inputs === 5 ? x : (conv('downsample', {}).apply(x) as tf.SymbolicTensor);
    x = tf.layers.reLU().apply(tf.layers.add().apply([second, beside])) as tf.SymbolicTensor;
  }
  const output = tf.layers.dense({ units: 1, ...naming('linear') }).apply(x) as tf.SymbolicTensor;
  return tf.model({ inputs: input, outputs: output });
}

/** The distance to a shape. */
export function deepSdfLayers(naming: Naming): tf.LayersModel {
  const input = tf.input({ shape: [7] });
  let x = input;
  for (let i = 0; i < 9; i++) {
    const layer = tf.layers.dense({
      units: i === 3 ? 5 : widths[i + 1]!,
      activation: i === 8 ? 'tanh' : 'relu',
      ...naming(`lin${i}`),
    });
    const from = i === 4 ? (tf.layers.concatenate().apply([x, input]) as tf.SymbolicTensor) : x;
    x = layer.apply(from) as tf.SymbolicTensor;
  }
  return tf.model({ inputs: input, outputs: x });
}
