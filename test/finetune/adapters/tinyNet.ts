import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { readSafetensors } from '../../../src/checkpoint/index.ts';
import { nn } from '../../../src/index.ts';
import type { GoldenTensor } from '../../nn/golden.ts';

/** The path of a file of the golden adapter. */
export const fixture = (name: string): string =>
  new URL(`../../golden/peft/${name}`, import.meta.url).pathname;

/** What PEFT computes with the golden adapter. */
export const expected = JSON.parse(readFileSync(fixture('expect.json'), 'utf8')) as {
  readonly ids: GoldenTensor;
  readonly image: GoldenTensor;
  readonly base_output: GoldenTensor;
  readonly output: GoldenTensor;
  readonly merged: Readonly<Record<string, GoldenTensor>>;
};

/** The tensors of a safetensors file of the golden adapter, which the caller disposes. */
export const tensorsIn = (name: string): tf.NamedTensorMap =>
  readSafetensors(new Uint8Array(readFileSync(fixture(name)))).tensors;

/** The network of the golden adapter. */
export class TinyNet extends nn.Module {
  embed = new nn.Embedding(11, 6);
  features = new nn.Sequential(
    new nn.Conv2d(1, 4, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.Conv2d(4, 6, 3, { padding: 1 }),
    new nn.ReLU(),
  );
  blocks = new nn.ModuleList([block(), block()]);
  classifier = new nn.Linear(6, 3);

  override forward(ids: tf.Tensor, image: tf.Tensor): tf.Tensor {
    let h = tf.add(tf.mean(this.embed.call(ids), 1), tf.mean(this.features.call(image) as tf.Tensor, [2, 3]));
    for (const one of this.blocks) {
      const of = (name: string, x: tf.Tensor): tf.Tensor =>
        ((one as nn.ModuleDict).get(name) as nn.Linear).call(x);
      h = tf.add(h, of('out', tf.mul(tf.tanh(of('q_proj', h)), of('v_proj', h))));
    }
    return this.classifier.call(h);
  }
}

const block = (): nn.ModuleDict =>
  new nn.ModuleDict({
    q_proj: new nn.Linear(6, 6),
    v_proj: new nn.Linear(6, 6, { bias: false }),
    out: new nn.Linear(6, 6),
  });

/** The network with the base weights of the golden adapter. */
export function baseNet(): TinyNet {
  const model = new TinyNet();
  const tensors = tensorsIn('base_model.safetensors');
  model.loadStateDict(tensors);
  tf.dispose(tensors);
  return model;
}

/** The same network in tf.layers. The layers have the names of the modules. */
export function layersNet(): tf.LayersModel {
  const ids = tf.input({ shape: [4], dtype: 'int32' });
  const image = tf.input({ shape: [6, 6, 1] });
  const apply = (layer: tf.layers.Layer, ...x: tf.SymbolicTensor[]): tf.SymbolicTensor =>
    layer.apply(x.length === 1 ? x[0]! : x) as tf.SymbolicTensor;
  const dense = (name: string, units = 6, useBias = true) => tf.layers.dense({ name, units, useBias });
  const embedded = apply(
    tf.layers.globalAveragePooling1d({}),
    apply(tf.layers.embedding({ name: 'embed', inputDim: 11, outputDim: 6 }), ids),
  );
  const convolved = apply(
    tf.layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }),
    apply(
      tf.layers.conv2d({
        name: 'features.2',
        filters: 6,
        kernelSize: 3,
        padding: 'same',
        activation: 'relu',
      }),
      apply(
        tf.layers.conv2d({
          name: 'features.0',
          filters: 4,
          kernelSize: 3,
          padding: 'same',
          activation: 'relu',
        }),
        image,
      ),
    ),
  );
  let h = apply(tf.layers.add(), embedded, convolved);
  for (const i of [0, 1]) {
    const q = apply(tf.layers.activation({ activation: 'tanh' }), apply(dense(`blocks.${i}.q_proj`), h));
    const v = apply(dense(`blocks.${i}.v_proj`, 6, false), h);
    h = apply(tf.layers.add(), h, apply(dense(`blocks.${i}.out`), apply(tf.layers.multiply(), q, v)));
  }
  return tf.model({ inputs: [ids, image], outputs: apply(dense('classifier', 3), h) });
}
