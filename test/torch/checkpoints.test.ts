import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { fold, nn, orthogonal, spectralNorm, weightNorm } from '../../src/index.ts';
import * as legacy from '../../src/legacy/index.ts';

// Networks that real PyTorch trained on real digits: their logits have to come out here, however they are spelled.

interface Packed {
  readonly shape: readonly number[];
  /** Little-endian float32 in base64. */
  readonly float32: string;
}

interface Checkpoint {
  readonly state: Readonly<Record<string, Packed>>;
  readonly weights: Readonly<Record<string, Packed>>;
  readonly logits: Packed;
}

const readJson = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../golden/checkpoints/${name}.json`, import.meta.url), 'utf8')) as T;

function tensorOf({ shape, float32 }: Packed): tf.Tensor {
  const bytes = new Uint8Array(Buffer.from(float32, 'base64'));
  return tf.tensor(new Float32Array(bytes.buffer), [...shape], 'float32');
}

const stateOf = (packed: Readonly<Record<string, Packed>>): nn.StateDict =>
  Object.fromEntries(Object.entries(packed).map(([key, value]) => [key, tensorOf(value)]));

type Normalize = (layer: nn.Module, name: 'weight') => void;

class Cnn extends nn.Module {
  features = new nn.Sequential(
    new nn.Conv2d(1, 12, 3, { padding: 1 }),
    new nn.LeakyReLU(0.1),
    new nn.Conv2d(12, 16, 4, { stride: 2, padding: 1 }),
    new nn.LeakyReLU(0.1),
    new nn.Conv2d(16, 24, 4, { stride: 2, padding: 1 }),
    new nn.LeakyReLU(0.1),
  );
  classifier = new nn.Linear(216, 10);

  constructor(normalize: Normalize) {
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
class Rnn extends nn.Module {
  inp = new nn.Linear(14, 48);
  rec = new nn.Linear(48, 48, { bias: false });
  out = new nn.Linear(48, 10);

  constructor(normalize: Normalize) {
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

const normalizations: Record<string, Normalize> = {
  plain: () => {},
  weightNorm: (layer, name) => void weightNorm(layer, name),
  'legacy.weightNorm': (layer, name) => void legacy.weightNorm(layer, name),
  spectralNorm: (layer, name) => void spectralNorm(layer, name),
  'legacy.spectralNorm': (layer, name) => void legacy.spectralNorm(layer, name),
  orthogonal: (layer, name) => void orthogonal(layer, name),
};

const within = { relative: 0, absolute: 1e-4 };

describe.each([
  ['mnist_cnn_weight_norm', Cnn, ['plain', 'weightNorm', 'legacy.weightNorm']],
  ['mnist_cnn_spectral_norm_legacy', Cnn, ['plain', 'spectralNorm', 'legacy.spectralNorm']],
  ['mnist_cnn_spectral_norm_parametrized', Cnn, ['plain', 'spectralNorm', 'legacy.spectralNorm']],
  ['mnist_rnn_orthogonal', Rnn, ['orthogonal']],
] as const)('the network %s', (file, Network, hosts) => {
  const checkpoint = readJson<Checkpoint>(file);
  const { images } = readJson<{ images: Packed }>('mnist_images');

  it.each(hosts)(
    'gives the logits of torch in %s layers, and when it is saved, loaded and folded',
    (host) => {
      const [network, second] = [
        new Network(normalizations[host]!),
        new Network(normalizations[host]!),
      ] as nn.Module[] as [Cnn, Cnn];
      tf.tidy(() => {
        const [x, logits] = [tensorOf(images), tensorOf(checkpoint.logits)];
        const report = network.loadStateDict(stateOf(checkpoint.state));
        expect([report.missingKeys, report.unexpectedKeys]).toEqual([[], []]);
        expect(network.call(x)).toBeAllClose(logits, within);
        for (const spelling of ['modern', 'legacy'] as const) {
          second.loadStateDict(network.stateDict({ spelling }));
          expect(second.call(x), spelling).toBeAllClose(logits, within);
        }
        const folded = network.stateDict({ spelling: 'folded' });
        for (const [key, weight] of Object.entries(checkpoint.weights)) {
          expect(folded[key]!, key).toBeAllClose(tensorOf(weight), { absolute: 1e-5 });
        }
        fold(network);
        expect(network.call(x)).toBeAllClose(logits, within);
        expect(Object.keys(network.stateDict())).toEqual(Object.keys(folded));
      });
      network.dispose();
      second.dispose();
    },
  );

  it('loads with its plain weights too', () => {
    tf.tidy(() => {
      const { state, weights } = checkpoint;
      const biases = Object.entries(state).filter(([key]) => key.endsWith('.bias'));
      const plain = stateOf({ ...Object.fromEntries(biases), ...weights });
      const [x, logits] = [tensorOf(images), tensorOf(checkpoint.logits)];
      // Spectral norm divides by the true singular value of a weight, which was divided by an estimate of it.
      for (const host of hosts.filter((name) => !name.includes('spectral'))) {
        const network = new Network(normalizations[host]!);
        network.loadStateDict(plain);
        expect(network.call(x) as tf.Tensor, host).toBeAllClose(logits, within);
        network.dispose();
      }
    });
  });
});
