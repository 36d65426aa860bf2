import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { fold, nn, orthogonal, spectralNorm, weightNorm } from '../../src/index.ts';
import * as legacy from '../../src/legacy/index.ts';
import stateDicts from '../golden/state_dicts.json' with { type: 'json' };
import { type GoldenTensor, tensorOf } from '../nn/golden.ts';

// State dicts that real PyTorch wrote, under every key format, into modules that are normalized in every way.

type Golden = Readonly<Record<string, GoldenTensor>>;

/** A golden state dict without what is around it in the file. */
const golden = (name: keyof typeof stateDicts, prefix = ''): nn.StateDict =>
  Object.fromEntries(
    Object.entries(stateDicts[name] as unknown as Golden)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), tensorOf(value)]),
  );

type Normalize = (module: nn.Module, name: string, dim: number | null) => void;

const weightNorms: Record<string, Normalize> = {
  plain: () => {},
  modern: (module, name, dim) => void weightNorm(module, name, { dim }),
  legacy: (module, name, dim) => void legacy.weightNorm(module, name, dim),
};

const spectralNorms: Record<string, Normalize> = {
  plain: () => {},
  modern: (module, name) => void spectralNorm(module, name),
  legacy: (module, name) => void legacy.spectralNorm(module, name),
};

class Block extends nn.Module {
  conv1 = new nn.Conv1d(3, 4, 3, { padding: 1 });
  conv2 = new nn.Conv1d(4, 4, 3, { padding: 1 });
  net = new nn.Sequential(this.conv1, new nn.ReLU(), this.conv2);
  downsample = new nn.Conv1d(3, 4, 1);
  forward(x: tf.Tensor): tf.Tensor {
    return tf.add(this.net.call(x), this.downsample.call(x));
  }
}

class Nested extends nn.Module {
  blocks = new nn.ModuleList([
    new Block(),
    new nn.Sequential(new nn.ConvTranspose1d(4, 2, 4, { stride: 2 }), new nn.BatchNorm1d(2)),
  ]);
  head = new nn.Linear(2, 3);
  rnn = new nn.LSTM(2, 3);
  emb = new nn.Embedding(5, 4);

  constructor(normalize: Normalize) {
    super();
    const [block, up] = [this.blocks.at(0) as Block, this.blocks.at(1) as nn.Sequential];
    normalize(block.conv1, 'weight', 0);
    normalize(block.conv2, 'weight', 0);
    normalize(up.at(0)!, 'weight', 0);
    normalize(this.head, 'weight', null);
    normalize(this.rnn, 'weight_hh_l0', 0);
    normalize(this.emb, 'weight', 0);
    this.eval();
  }

  /** Something of every part, as one vector. */
  forward(x: tf.Tensor): tf.Tensor {
    const y = this.blocks.at(1)!.call(this.blocks.at(0)!.call(x) as tf.Tensor) as tf.Tensor;
    const sequence = tf.transpose(y, [2, 0, 1]);
    const [states] = this.rnn.call(sequence);
    const parts = [y, this.head.call(sequence), states, this.emb.call(tf.tensor1d([0, 4, 2], 'int32'))];
    return tf.concat(parts.map((part) => tf.reshape(part, [-1])));
  }
}

const keyFormats = ['modern', 'legacy', 'folded'] as const;
const input = () => tf.sin(tf.reshape(tf.range(0, 30), [2, 3, 5]));

/** Loads into `make()`, checks that its output is what it has to be, and that each key format of it loads back. */
function roundTrip(
  make: () => nn.Module,
  state: nn.StateDict,
  run: (module: nn.Module) => tf.Tensor,
): tf.Tensor {
  const [module, second] = [make(), make()];
  module.loadStateDict(state);
  const output = run(module);
  for (const keyFormat of keyFormats) {
    second.loadStateDict(module.stateDict({ keyFormat }));
    expect(run(second), keyFormat).toBeAllClose(output, { absolute: 1e-5 });
  }
  fold(module);
  expect(run(module), 'folded').toBeAllClose(output, { relative: 0, absolute: 0 });
  for (const made of [module, second]) made.dispose();
  return output;
}

describe('a state dict of torch', () => {
  const names = ['legacy_weight_norm_nested', 'modern_weight_norm_nested'] as const;
  it.each(names)('%s loads into plain, modern and legacy modules with equal outputs (torch#87)', (name) => {
    tf.tidy(() => {
      const state = golden(name);
      const outputs = Object.values(weightNorms).map((normalize) =>
        roundTrip(
          () => new Nested(normalize),
          state,
          (module) => module.call(input()) as tf.Tensor,
        ),
      );
      for (const output of outputs) expect(output).toBeAllClose(outputs[0]!, { absolute: 1e-5 });
    });
  });

  it('has the same keys in the same order when the modern and the legacy API write it', () => {
    for (const [name, normalize, keyFormat] of [
      ['legacy_weight_norm_nested', weightNorms['legacy']!, 'legacy'],
      ['legacy_weight_norm_nested', weightNorms['modern']!, 'legacy'],
      ['modern_weight_norm_nested', weightNorms['modern']!, 'modern'],
      ['modern_weight_norm_nested', weightNorms['legacy']!, 'modern'],
    ] as const) {
      const module = new Nested(normalize);
      const keys = Object.keys(module.stateDict({ keyFormat }));
      expect(keys).toEqual(Object.keys(stateDicts[name]));
      module.dispose();
    }
  });

  it('with spectral norm loads into plain, modern and legacy modules with equal outputs', () => {
    const make = (normalize: Normalize) => () => {
      const module = new nn.Sequential(new nn.Conv2d(1, 3, 3), new nn.ReLU(), new nn.Linear(4, 2));
      normalize(module.at(0)!, 'weight', 0);
      normalize(module.at(2)!, 'weight', 0);
      return module.eval();
    };
    const x = () => tf.sin(tf.reshape(tf.range(0, 36), [1, 1, 6, 6]));
    tf.tidy(() => {
      const state = golden('legacy_spectral_norm');
      const outputs = Object.entries(spectralNorms).map(([name, normalize]) => {
        const module = make(normalize)();
        module.loadStateDict(state);
        const output = module.call(x()) as tf.Tensor;
        for (const keyFormat of ['modern', 'legacy'] as const) {
          const second = make(normalize)();
          second.loadStateDict(module.stateDict({ keyFormat }));
          expect(second.call(x()), `${name}, ${keyFormat}`).toBeAllClose(output);
          second.dispose();
        }
        module.dispose();
        return output;
      });
      for (const output of outputs) expect(output).toBeAllClose(outputs[0]!);
    });
  });

  it.each([
    ['generator_wrapped', 'generator.'],
    ['training_checkpoint_wrapped', 'state_dict.'],
  ] as const)('%s has weight norm and spectral norm side by side, whose weight_v differ', (name, prefix) => {
    const make = (first: Normalize, second: Normalize): nn.Sequential => {
      const module = new nn.Sequential(new nn.Linear(3, 2), new nn.Linear(2, 2));
      first(module.at(0)!, 'weight', 0);
      second(module.at(1)!, 'weight', 0);
      return module.eval() as nn.Sequential;
    };
    tf.tidy(() => {
      const state = golden(name, prefix);
      const outputs = ['plain', 'modern', 'legacy'].flatMap((first) =>
        ['plain', 'modern', 'legacy'].map((second) => {
          const module = make(weightNorms[first]!, spectralNorms[second]!);
          module.loadStateDict(state);
          const output = module.call(tf.tensor2d([[1, -2, 3]])) as tf.Tensor;
          module.dispose();
          return output;
        }),
      );
      for (const output of outputs) expect(output).toBeAllClose(outputs[0]!);
    });
  });

  it('with orthogonal weights loads into orthogonal and into plain modules with equal outputs', () => {
    const make = (isPlain: boolean): nn.Sequential => {
      const module = new nn.Sequential(new nn.Linear(4, 4), new nn.Linear(4, 3), new nn.Linear(3, 6));
      if (isPlain) return module;
      orthogonal(module.at(0)!, 'weight');
      orthogonal(module.at(2)!, 'weight', { orthogonalMap: 'householder', useTrivialization: false });
      return module;
    };
    const [module, plain] = [make(false), make(true)];
    tf.tidy(() => {
      module.loadStateDict(golden('modern_orthogonal'));
      expect(Object.keys(module.stateDict())).toEqual(Object.keys(stateDicts.modern_orthogonal));
      plain.loadStateDict(module.stateDict({ keyFormat: 'folded' }));
      const x = tf.tensor2d([[1, -2, 3, 0.5]]);
      expect(plain.call(x) as tf.Tensor).toBeAllClose(module.call(x) as tf.Tensor);
      // And back, through the right inverses.
      const second = make(false);
      second.loadStateDict(plain.stateDict());
      expect(second.call(x) as tf.Tensor).toBeAllClose(module.call(x) as tf.Tensor, { absolute: 1e-5 });
      second.dispose();
    });
    for (const made of [module, plain]) made.dispose();
  });
});
