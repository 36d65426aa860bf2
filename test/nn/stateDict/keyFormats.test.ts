import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fold,
  nn,
  registerParametrization,
  spectralNorm,
  symmetric,
  weightNorm,
} from '../../../src/index.ts';
import * as legacy from '../../../src/legacy/index.ts';
import { Double, inTidy, read, SkewPart } from '../../parametrize/fixtures.ts';
import { failure } from '../../parametrize/unchanged.ts';

type Layer = nn.Module & { weight: tf.Tensor };

const layers: Record<string, () => Layer> = {
  Linear: () => new nn.Linear(3, 2),
  'Linear without bias': () => new nn.Linear(2, 2, { bias: false }),
  Conv1d: () => new nn.Conv1d(2, 3, 2),
  ConvTranspose1d: () => new nn.ConvTranspose1d(2, 3, 2),
  BatchNorm1d: () => new nn.BatchNorm1d(3) as Layer,
};

/** The value stays, whatever is loaded into what. */
const faithful: Record<string, (layer: Layer) => unknown> = {
  plain: () => {},
  weightNorm: (layer) => weightNorm(layer),
  'weightNorm, other axis': (layer) => weightNorm(layer, 'weight', { dim: -1 }),
  'weightNorm, one norm': (layer) => weightNorm(layer, 'weight', { dim: null }),
  'legacy.weightNorm': (layer) => legacy.weightNorm(layer),
  'legacy.weightNorm, one norm': (layer) => legacy.weightNorm(layer, 'weight', -1),
  double: (layer) => registerParametrization(layer, 'weight', new Double()),
  'weightNorm, then double': (layer) => registerParametrization(weightNorm(layer), 'weight', new Double()),
};

/** The value becomes that with another norm; the same state has the same value. */
const spectral: Record<string, (layer: Layer) => unknown> = {
  spectralNorm: (layer) => spectralNorm(layer),
  'legacy.spectralNorm': (layer) => legacy.spectralNorm(layer),
};

const keyFormats = [undefined, 'modern', 'legacy', 'folded'] as const;
const stateOf = (module: nn.Module, keyFormat: (typeof keyFormats)[number]): nn.StateDict =>
  module.stateDict(keyFormat === undefined ? {} : { keyFormat });

const keys = (module: nn.Module, keyFormat: (typeof keyFormats)[number]): string[] => {
  const state = stateOf(module, keyFormat);
  if (keyFormat === 'folded') tf.dispose(state);
  return Object.keys(state);
};

const make = (layer: string, normalize: (layer: Layer) => unknown): nn.Sequential => {
  const made = layers[layer]!();
  normalize(made);
  return new nn.Sequential(made).eval();
};

const weightOf = (model: nn.Sequential): number[][] => read(model.at(0)!) as number[][];

describe('a state dict', () => {
  it('gives its values to a module that is normalized in another way, in every key format', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(layers)),
        fc.constantFrom(...Object.keys({ ...faithful, ...spectral })),
        fc.constantFrom(...Object.keys(faithful)),
        fc.constantFrom(...keyFormats),
        (layer, from, to, keyFormat) => {
          // A chain without old names, and g of another shape, load by their value.
          const normOf = (name: string): string => /(?<=, ).*/.exec(name)?.[0] ?? '';
          const isBoth = [from, to].every((name) => name.includes('weightNorm'));
          if (from.includes('double') || (isBoth && normOf(from) !== normOf(to))) keyFormat = 'folded';
          if (layer === 'BatchNorm1d' && from === 'spectralNorm') keyFormat = 'folded';
          const source = make(layer, { ...faithful, ...spectral }[from]!);
          const target = make(layer, faithful[to]!);
          tf.tidy(() => void target.loadStateDict(stateOf(source, keyFormat)));
          expect(weightOf(target)).toBeAllClose(weightOf(source));
          source.dispose();
          target.dispose();
        },
      ),
    );
  });

  it.each(Object.keys(spectral))('loads between the two APIs of spectral norm: %s', (from) => {
    for (const to of Object.keys(spectral)) {
      for (const keyFormat of [undefined, 'modern', 'legacy'] as const) {
        const [source, target] = [
          make('ConvTranspose1d', spectral[from]!),
          make('ConvTranspose1d', spectral[to]!),
        ];
        target.loadStateDict(stateOf(source, keyFormat));
        expect(weightOf(target)).toBeAllClose(weightOf(source), { relative: 1e-6 });
        source.dispose();
        target.dispose();
      }
    }
  });

  it('of a plain weight gives spectral norm vectors that fit it', () => {
    const [source, target] = [make('Linear', faithful['plain']!), make('Linear', spectral['spectralNorm']!)];
    // Singular values far apart: the iteration is there after its first steps, from wherever it begins.
    inTidy(() => {
      const weight = tf.tensor2d([
        [2, 1, 0.5],
        [0.3, -0.4, 1],
      ]);
      ((source.at(0) as Layer).weight as tf.Variable).assign(weight);
    });
    const { mapped } = target.loadStateDict(source.stateDict());
    expect(mapped).toEqual([
      {
        from: ['0.weight'],
        to: [
          '0.parametrizations.weight.original',
          '0.parametrizations.weight.0._u',
          '0.parametrizations.weight.0._v',
        ],
        actions: [{ kind: 'invert' }],
      },
    ]);
    inTidy(() => {
      // The singular values of a matrix with two rows, in closed form.
      const [a, b] = weightOf(target) as [number[], number[]];
      const dot = (x: number[], y: number[]): number => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
      const [p, q, r] = [dot(a, a), dot(a, b), dot(b, b)];
      expect((p + r) / 2 + Math.hypot((p - r) / 2, q)).toBeCloseTo(1, 3);
    });
    source.dispose();
    target.dispose();
  });

  it('has the order of torch in each key format', () => {
    const modern = new nn.Sequential(weightNorm(new nn.Linear(3, 2)), spectralNorm(new nn.Linear(2, 2)));
    const hooked = new nn.Sequential(
      legacy.weightNorm(new nn.Linear(3, 2)),
      legacy.spectralNorm(new nn.Linear(2, 2)),
    );
    const wanted = {
      modern: [
        '0.bias',
        '0.parametrizations.weight.original0',
        '0.parametrizations.weight.original1',
        '1.bias',
        '1.parametrizations.weight.original',
        '1.parametrizations.weight.0._u',
        '1.parametrizations.weight.0._v',
      ],
      legacy: ['0.bias', '0.weight_g', '0.weight_v', '1.bias', '1.weight_orig', '1.weight_u', '1.weight_v'],
      folded: ['0.weight', '0.bias', '1.weight', '1.bias'],
    };
    for (const keyFormat of ['modern', 'legacy', 'folded'] as const) {
      expect(keys(modern, keyFormat)).toEqual(wanted[keyFormat]);
      expect(keys(hooked, keyFormat)).toEqual(wanted[keyFormat]);
    }
    expect(keys(modern, undefined)).toEqual(wanted.modern);
    expect(keys(hooked, undefined)).toEqual(wanted.legacy);
    fold(modern);
    expect(keys(modern, undefined)).toEqual(wanted.folded);
    modern.dispose();
    hooked.dispose();
  });

  it('keeps the modern names of what the old ones do not know, and folds it', () => {
    const layer = symmetric(weightNorm(new nn.Linear(2, 2)));
    const names = ['bias', 'parametrizations.weight.original0', 'parametrizations.weight.original1'];
    expect(keys(layer, 'legacy')).toEqual(names);
    expect(keys(layer, 'modern')).toEqual(names);
    expect(keys(layer, 'folded')).toEqual(['weight', 'bias']);
    layer.dispose();
  });

  it('holds live variables; a folded one holds new tensors', () => {
    const layer = weightNorm(new nn.Linear(3, 2));
    expect(layer.stateDict({ keyFormat: 'legacy' })['weight_g']).toBe(layer.parametrizations!['weight']!.g);
    const folded = layer.stateDict({ keyFormat: 'folded' });
    expect(folded['weight']).toBeAllClose(read(layer) as number[][], { relative: 0, absolute: 0 });
    tf.dispose(folded);
    expect(layer.bias!.isDisposed).toBe(false);
    expect(read(layer)).toHaveLength(2);
    layer.dispose();
  });

  it('is written without a step of the power iteration', () => {
    const layer = spectralNorm(new nn.Linear(3, 2));
    const vectors = () =>
      layer.parametrizations!['weight']!.buffers().map((vector) => [...vector.dataSync()]);
    const before = vectors();
    for (const keyFormat of keyFormats) keys(layer, keyFormat);
    expect(vectors()).toEqual(before);
    layer.dispose();
  });

  it('of the oldest torch, with the value in place of the right vector, gives that value', () => {
    const source = legacy.spectralNorm(new nn.Linear(3, 2)).eval();
    for (const target of [
      legacy.spectralNorm(new nn.Linear(3, 2)),
      spectralNorm(new nn.Linear(3, 2)),
      new nn.Linear(3, 2),
    ]) {
      target.eval();
      tf.tidy(() => {
        const { weight_v: _, ...rest } = source.stateDict();
        target.loadStateDict({ ...rest, weight: tf.clone(source.weight) });
      });
      expect(read(target)).toBeAllClose(read(source) as number[][]);
      target.dispose();
    }
    source.dispose();
  });

  it('is loaded by key even if a name could be read in two ways', () => {
    class Named extends nn.Module {
      weight: tf.Tensor = nn.parameter(() => tf.ones([2, 2]));
      weight_g: tf.Tensor = nn.parameter(() => tf.ones([2, 1]));
      weight_v: tf.Tensor = nn.parameter(() => tf.zeros([2, 2]));
      override forward(): void {}
    }
    const [source, target] = [new Named(), new Named()];
    expect(target.loadStateDict(source.stateDict()).mapped).toEqual([]);
    source.dispose();
    target.dispose();
  });
});

describe('a state dict that does not fit', () => {
  const state = (entries: Record<string, number[]>): nn.StateDict =>
    Object.fromEntries(Object.entries(entries).map(([key, shape]) => [key, tf.ones(shape)]));

  const load = (module: nn.Module, entries: Record<string, number[]>): string => {
    const map = state(entries);
    const text = failure(() => module.loadStateDict(map), module);
    tf.dispose(map);
    return text;
  };

  it('names every problem at once', () => {
    const model = new nn.Sequential(
      weightNorm(new nn.Linear(3, 2)),
      new nn.Linear(2, 2),
      legacy.spectralNorm(new nn.Linear(2, 1)),
    );
    expect(
      load(model, {
        '0.weight_g': [2, 1],
        '0.weight_v': [2, 3],
        '0.weight': [2, 3],
        '0.bias': [2],
        '1.weight_g': [3, 1],
        '1.weight_v': [2, 2],
        '2.weight': [3, 3],
        '2.bias': [1],
      }),
    ).toMatchInlineSnapshot(
      `"STATE_DICT: loadStateDict: the map does not fit Sequential: '0.weight' is there in several key formats: weight_g + weight_v and weight; the parts of '1.weight' do not fit each other: g has shape [3, 1], v has shape [2, 2]; '2.weight': the value has shape [3, 3], expected [1, 2]; missing: 1.bias. Nothing was loaded. Leave all but one of them out. Save all parts of a weight from one module. Make the module with the shapes of the map."`,
    );
    model.dispose();
  });

  it('says that half of a key format is none', () => {
    const layer = weightNorm(new nn.Linear(3, 2));
    expect(load(layer, { bias: [2], weight_v: [2, 3] })).toMatchInlineSnapshot(
      `"STATE_DICT: loadStateDict: the map does not fit Linear: missing: parametrizations.weight.original0, parametrizations.weight.original1; unexpected: weight_v. Nothing was loaded. Pass { strict: false } to allow missing and unexpected keys."`,
    );
    layer.dispose();
  });

  it('says what a map without an inverse cannot take', () => {
    const layer = registerParametrization(new nn.Linear(2, 2), 'weight', new SkewPart());
    expect(load(layer, { weight: [2, 2], bias: [2] })).toMatchInlineSnapshot(
      `"STATE_DICT: loadStateDict: the map does not fit Linear: 'weight': SkewPart has no rightInverse. Nothing was loaded. Add a rightInverse, or load the originals: save the module as it is, in the key format modern."`,
    );
    layer.dispose();
  });

  it('says which vectors do not fit', () => {
    const layer = new nn.Linear(2, 2);
    expect(
      load(layer, { bias: [2], weight_orig: [2, 2], weight_u: [3], weight_v: [2] }),
    ).toMatchInlineSnapshot(
      `"STATE_DICT: loadStateDict: the map does not fit Linear: the parts of 'weight' do not fit each other: orig has shape [2, 2], u has shape [3], v has shape [2]. Nothing was loaded. Save all parts of a weight from one module."`,
    );
    layer.dispose();
  });

  it('is not written in a key format that does not exist', () => {
    const layer = new nn.Linear(2, 2);
    expect(failure(() => layer.stateDict({ keyFormat: 'old' as never }), layer)).toMatchInlineSnapshot(
      `"OPTION: stateDict: keyFormat is 'old', it must be one of 'modern', 'legacy', 'folded'."`,
    );
    layer.dispose();
  });
});
