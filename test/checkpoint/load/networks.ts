import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { nn } from '../../../src/index.ts';

// The networks that PyTorch trained, and what it computed with them.

export interface Packed {
  readonly shape: readonly number[];
  /** Little-endian float32 in base64. */
  readonly float32: string;
}

export const readJson = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../../golden/checkpoints/${name}.json`, import.meta.url), 'utf8')) as T;

export function tensorOf({ shape, float32 }: Packed): tf.Tensor {
  const bytes = new Uint8Array(Buffer.from(float32, 'base64'));
  return tf.tensor(new Float32Array(bytes.buffer), [...shape], 'float32');
}

/** The caller's. */
export const imagesOf = (): tf.Tensor => tensorOf(readJson<{ images: Packed }>('mnist_images').images);

/** The caller's. */
export const logitsOf = (name: string): tf.Tensor => tensorOf(readJson<{ logits: Packed }>(name).logits);

export type Normalize = (layer: nn.Module, name: 'weight') => void;

export class Cnn extends nn.Module {
  features = new nn.Sequential(
    new nn.Conv2d(1, 12, 3, { padding: 1 }),
    new nn.LeakyReLU(0.1),
    new nn.Conv2d(12, 16, 4, { stride: 2, padding: 1 }),
    new nn.LeakyReLU(0.1),
    new nn.Conv2d(16, 24, 4, { stride: 2, padding: 1 }),
    new nn.LeakyReLU(0.1),
  );
  classifier = new nn.Linear(216, 10);

  constructor(normalize: Normalize = () => {}) {
    super();
    for (const layer of this.modules()) if ('weight' in layer) normalize(layer, 'weight');
    this.eval();
  }

  forward(images: tf.Tensor): tf.Tensor {
    const features = this.features.call(images) as tf.Tensor;
    return this.classifier.call(tf.reshape(features, [features.shape[0]!, -1]));
  }
}

/** Reads an image row by row, with an orthogonal recurrent matrix. */
export class Rnn extends nn.Module {
  inp = new nn.Linear(14, 48);
  rec = new nn.Linear(48, 48, { bias: false });
  out = new nn.Linear(48, 10);

  constructor(normalize: Normalize = () => {}) {
    super();
    normalize(this.rec, 'weight');
    this.eval();
  }

  forward(images: tf.Tensor): tf.Tensor {
    const [batch, , rows] = images.shape as [number, number, number];
    let state: tf.Tensor = tf.zeros([batch, 48]);
    for (let row = 0; row < rows; row++) {
      const pixels = tf.reshape(tf.slice(images, [0, 0, row, 0], [-1, 1, 1, -1]), [batch, -1]);
      state = tf.tanh(tf.add(this.inp.call(pixels), this.rec.call(state)));
    }
    return this.out.call(state);
  }
}
