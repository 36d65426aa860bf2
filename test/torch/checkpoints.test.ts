import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { fold, type nn, orthogonal, spectralNorm, weightNorm } from '../../src/index.ts';
import * as legacy from '../../src/legacy/index.ts';
import {
  Cnn,
  imagesOf,
  type Normalize,
  type Packed,
  Rnn,
  readJson,
  tensorOf,
} from '../checkpoint/load/networks.ts';

// Networks that real PyTorch trained on real digits: their logits have to come out here, however they are spelled.

interface Checkpoint {
  readonly state: Readonly<Record<string, Packed>>;
  readonly weights: Readonly<Record<string, Packed>>;
  readonly logits: Packed;
}

const stateOf = (packed: Readonly<Record<string, Packed>>): nn.StateDict =>
  Object.fromEntries(Object.entries(packed).map(([key, value]) => [key, tensorOf(value)]));

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

  it.each(hosts)(
    'gives the logits of torch in %s layers, and when it is saved, loaded and folded',
    (host) => {
      const [network, second] = [
        new Network(normalizations[host]!),
        new Network(normalizations[host]!),
      ] as nn.Module[] as [Cnn, Cnn];
      tf.tidy(() => {
        const [x, logits] = [imagesOf(), tensorOf(checkpoint.logits)];
        const report = network.loadStateDict(stateOf(checkpoint.state));
        expect([report.missingKeys, report.unexpectedKeys]).toEqual([[], []]);
        expect(network.call(x)).toBeAllClose(logits, within);
        for (const keyFormat of ['modern', 'legacy'] as const) {
          second.loadStateDict(network.stateDict({ keyFormat }));
          expect(second.call(x), keyFormat).toBeAllClose(logits, within);
        }
        const folded = network.stateDict({ keyFormat: 'folded' });
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
      const [x, logits] = [imagesOf(), tensorOf(checkpoint.logits)];
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
