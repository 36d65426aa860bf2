import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cached,
  clone,
  describe as describeModel,
  fold,
  isParametrized,
  nn,
  Parametrization,
  type ParametrizationList,
  parametrizationsOn,
  pure,
  registerParametrization,
  removeParametrizations,
  SpectralNorm,
  spectralNorm,
  syncOptimizer,
} from '../../src/index.ts';
import { inTidy, numbers, read, variableOf } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';
import { type SpectralDefinition, singularValues, spectralDefinition } from './spectralDefinition.ts';

const listOn = (host: object, name = 'weight'): ParametrizationList => parametrizationsOn(host, name);
const mapOf = (host: object, name = 'weight', index = 0): SpectralNorm =>
  listOn(host, name)[index] as SpectralNorm;

/** The vectors of a tensor as plain numbers. */
const vectorsOf = (host: object, name = 'weight'): { u: number[]; v: number[] } => {
  const { _u, _v } = mapOf(host, name);
  return { u: flatten(_u!), v: flatten(_v!) };
};

const write = (variable: tf.Tensor, value: () => tf.Tensor): void =>
  inTidy(() => (variable as tf.Variable).assign(value()));

/** A linear layer whose vectors do not fit its weight any more, so that every iteration moves them. */
function movable(bias = true): nn.Linear {
  nn.manualSeed(9);
  const layer = spectralNorm(new nn.Linear(4, 3, { bias }));
  write(listOn(layer).original!, numbers(3, 4));
  return layer;
}

const x = (): tf.Tensor => tf.tensor2d([1, -2, 0.5, 3, -1, 0, 2, 1], [2, 4]);
const forward = (layer: nn.Linear): number[] => inTidy(() => flatten(layer.call(x())));

const definitionOf = (layer: nn.Linear): SpectralDefinition =>
  spectralDefinition([...listOn(layer).shape], 0);
const originalOf = (host: object, name = 'weight'): number[] => flatten(listOn(host, name).original!);

describe('spectralNorm on a module', () => {
  it('has original as parameter, u and v as buffers, and a weight that is neither (torch#61)', () => {
    const layer = new nn.Linear(4, 3);
    const variable = variableOf(layer);
    expect(spectralNorm(layer)).toBe(layer);
    const { original } = listOn(layer);
    expect(original).toBe(variable);
    expect(mapOf(layer)._u!.shape).toEqual([3]);
    expect(mapOf(layer)._v!.shape).toEqual([4]);
    expect(layer.parameters()).toEqual([layer.bias, original]);
    expect(layer.buffers()).toEqual([mapOf(layer)._u, mapOf(layer)._v]);
    layer.dispose();
  });

  it('is removed: the weight is the parameter that it was, and parametrizations is gone (torch#62)', () => {
    const layer = new nn.Linear(4, 3);
    const variable = variableOf(layer);
    spectralNorm(layer);
    const { _u, _v } = mapOf(layer);
    removeParametrizations(layer, 'weight');
    expect(layer.weight).toBe(variable);
    expect('parametrizations' in layer).toBe(false);
    expect(Object.keys(layer.stateDict())).toEqual(['weight', 'bias']);
    expect([_u!.isDisposed, _v!.isDisposed]).toEqual([true, true]);
    layer.dispose();
  });

  it('stands twice on a tensor and on several tensors; one is removed without the other (torch#63)', () => {
    const layer = movable();
    spectralNorm(layer);
    spectralNorm(layer, 'bias');
    expect(Object.keys(layer.stateDict())).toEqual([
      'parametrizations.weight.original',
      'parametrizations.weight.0._u',
      'parametrizations.weight.0._v',
      'parametrizations.weight.1._u',
      'parametrizations.weight.1._v',
      'parametrizations.bias.original',
    ]);
    for (let i = 0; i < 60; i++) inTidy(() => void layer.weight);
    layer.eval();
    const weight = read(layer) as number[][];
    expect(singularValues(weight)[0]).toBeCloseTo(1, 4);
    const bias = read(layer, 'bias') as number[];
    expect(Math.hypot(...bias)).toBeCloseTo(1, 5);
    removeParametrizations(layer, 'bias');
    expect(isParametrized(layer, 'weight')).toBe(true);
    expect(isParametrized(layer, 'bias')).toBe(false);
    expect(read(layer)).toEqual(weight);
    expect(read(layer, 'bias')).toEqual(bias);
    layer.dispose();
  });

  it('moves u and v in training forwards only (torch#64)', () => {
    const layer = movable().eval();
    const start = vectorsOf(layer);
    forward(layer);
    expect(vectorsOf(layer)).toEqual(start);
    layer.train();
    forward(layer);
    const after = vectorsOf(layer);
    expect(after.u).not.toEqual(start.u);
    expect(after.v).not.toEqual(start.v);
    layer.dispose();
  });

  it('lets the gradient through to the original, and to no vector (torch#65)', () => {
    const layer = movable();
    inTidy(() => {
      const { grads } = tf.variableGrads(() => tf.sum(tf.square(layer.call(x()))) as tf.Scalar);
      expect(Object.keys(grads).sort()).toEqual(
        [layer.bias!, listOn(layer).original].map((p) => (p as tf.Variable).name).sort(),
      );
      expect(tf.sum(tf.abs(grads[listOn(layer).original!.name]!)).dataSync()[0]).toBeGreaterThan(0.01);
    });
    layer.dispose();
  });

  it('gives the same output after removal in eval mode, also registered again and trained (torch#67, torch#68)', () => {
    const layer = movable();
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 3; i++) forward(layer.train());
      const before = forward(layer.eval());
      removeParametrizations(layer, 'weight');
      expect(forward(layer)).toBeAllClose(before);
      spectralNorm(layer);
    }
    layer.dispose();
  });

  it('gives in eval mode what the last training forward gave, however often, and changes no vector (torch#69)', () => {
    const layer = movable();
    forward(layer);
    const trained = forward(layer);
    const vectors = vectorsOf(layer);
    layer.eval();
    for (let i = 0; i < 3; i++) expect(forward(layer)).toEqual(trained);
    expect(vectorsOf(layer)).toEqual(vectors);
    layer.dispose();
  });

  it('keeps a frozen tensor frozen (torch#72)', () => {
    const layer = new nn.Linear(4, 3);
    variableOf(layer).trainable = false;
    spectralNorm(layer);
    expect(listOn(layer).original!.trainable).toBe(false);
    inTidy(() => {
      const { grads } = tf.variableGrads(() => tf.sum(layer.call(x())) as tf.Scalar);
      expect(Object.keys(grads)).toEqual([(layer.bias as tf.Variable).name]);
    });
    removeParametrizations(layer, 'weight');
    expect(variableOf(layer).trainable).toBe(false);
    layer.dispose();
  });

  it('has exactly the keys bias, original, 0._u and 0._v (torch#73)', () => {
    const layer = movable();
    expect(Object.keys(layer.stateDict())).toEqual([
      'bias',
      'parametrizations.weight.original',
      'parametrizations.weight.0._u',
      'parametrizations.weight.0._v',
    ]);
    layer.dispose();
  });

  it('loads strictly with an error that names the extra key, and loosely without extra and missing keys (torch#74)', () => {
    const layer = movable();
    const state = layer.stateDict();
    const nonsense = tf.zeros([3]);
    expect(() => layer.loadStateDict({ ...state, nonsense })).toThrow(/nonsense/);
    expect(layer.loadStateDict({ ...state, nonsense }, { strict: false }).unexpectedKeys).toEqual([
      'nonsense',
    ]);
    for (const key of Object.keys(state)) {
      const { [key]: _, ...rest } = state;
      expect(() => layer.loadStateDict(rest), key).toThrow(key);
      expect(layer.loadStateDict(rest, { strict: false }).missingKeys).toEqual([key]);
    }
    nonsense.dispose();
    layer.dispose();
  });

  it('gives the same outputs again when removed, registered again and loaded (torch#75)', () => {
    const layer = movable();
    for (let i = 0; i < 3; i++) forward(layer);
    const state = Object.fromEntries(
      Object.entries(layer.stateDict()).map(([key, variable]) => [key, tf.clone(variable)]),
    );
    const outputs = (): number[][] =>
      [false, true, true, false].map((training) => forward(layer.train(training)));
    const wanted = outputs();
    removeParametrizations(layer, 'weight');
    spectralNorm(layer);
    layer.loadStateDict(state);
    expect(outputs()).toEqual(wanted);
    tf.dispose(state);
    layer.dispose();
  });

  it.each([
    ['ConvTranspose1d', () => new nn.ConvTranspose1d(3, 5, 2)],
    ['ConvTranspose2d', () => new nn.ConvTranspose2d(3, 5, 2)],
    ['ConvTranspose3d', () => new nn.ConvTranspose3d(3, 5, 2)],
  ] as [string, () => nn.Module & { weight: tf.Tensor }][])(
    'takes the output channels of %s as rows, axis 1 (torch#76)',
    (_, make) => {
      const layer = spectralNorm(make());
      expect(mapOf(layer).dim).toBe(1);
      expect(mapOf(layer)._u!.shape).toEqual([5]);
      const { matrix } = spectralDefinition([...listOn(layer).shape], 1);
      expect(singularValues(matrix(flatten(read(layer) as number[])))[0]).toBeCloseTo(1, 2);
      layer.dispose();
    },
  );

  it.each([1, 3])('is %d hand-written step(s) of the power iteration (torch#77)', (nPowerIterations) => {
    const layer = movable();
    mapOf(layer).nPowerIterations = nPowerIterations;
    const reference = definitionOf(layer);
    const W = originalOf(layer);
    let { u, v } = vectorsOf(layer);
    for (let pass = 0; pass < 2; pass++) {
      for (let i = 0; i < nPowerIterations; i++) ({ u, v } = reference.step(W, u, v));
      expect(flatten(read(layer) as number[][])).toBeAllClose(reference.value(W, u, v), { relative: 1e-4 });
      expect(vectorsOf(layer).u).toBeAllClose(u, { relative: 1e-4 });
      expect(vectorsOf(layer).v).toBeAllClose(v, { relative: 1e-4 });
    }
    layer.dispose();
  });

  it('divides a diagonal matrix by its largest magnitude (torch#78)', () => {
    const layer = new nn.Linear(4, 4, { bias: false });
    write(layer.weight, () => tf.diag(tf.tensor1d([0.5, -2, 1, 0.25])));
    spectralNorm(layer, 'weight', { nPowerIterations: 30 });
    expect(flatten(read(layer) as number[][])).toBeAllClose([
      0.25, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 0.125,
    ]);
    layer.dispose();
  });
});

describe('What only looks at a spectral-normalized module', () => {
  const looks: Record<string, (layer: nn.Linear) => void> = {
    describe: (layer) => void String(describeModel(layer)),
    'String(layer)': (layer) => void String(layer),
    stateDict: (layer) => void layer.stateDict(),
    'parameters, buffers, modules': (layer) => void [layer.parameters(), layer.buffers(), layer.modules()],
    'train and eval': (layer) => void layer.eval().train(),
    'isParametrized and parametrizationsOn': (layer) =>
      void [isParametrized(layer, 'weight'), parametrizationsOn(layer, 'weight').length],
    syncOptimizer: (layer) => {
      const adam = tf.train.adam();
      syncOptimizer(adam, layer.parameters());
      adam.dispose();
    },
    clone: (layer) => clone(layer).dispose(),
    'a training read of a clone': (layer) => {
      const copy = layer.clone();
      inTidy(() => void copy.weight);
      expect(vectorsOf(copy)).not.toEqual(vectorsOf(layer));
      copy.dispose();
    },
    'the registration of another map on top': (layer) =>
      void registerParametrization(
        layer,
        'weight',
        pure((weight) => tf.neg(weight)),
      ),
    'a registration on top that fails': (layer) => {
      expect(() => registerParametrization(layer, 'weight', (weight) => tf.sum(weight))).toThrow(/shape/);
    },
    'a second spectralNorm': (layer: nn.Linear) => void spectralNorm(layer),
    'an assignment that fails': (layer) => {
      const wrong = tf.zeros([4, 4]);
      expect(() => {
        layer.weight = wrong;
      }).toThrow(/shape/);
      wrong.dispose();
    },
    'a fold that fails in its trial, elsewhere': (layer) => {
      class Fails extends Parametrization {
        broken = false;
        override forward(W: tf.Tensor): tf.Tensor {
          if (this.broken) throw new Error('broken');
          return tf.mul(W, 1);
        }
      }
      const map = new Fails();
      registerParametrization(layer, 'bias', map);
      map.broken = true;
      expect(() => fold(layer)).toThrow('broken');
      removeParametrizations(layer, 'bias', { leaveParametrized: false });
    },
  };

  it.each(Object.keys(looks))('moves no vector: %s', (name) => {
    const layer = movable();
    const before = vectorsOf(layer);
    looks[name]!(layer);
    expect(vectorsOf(layer)).toEqual(before);
    layer.dispose();
  });

  it.each([
    ['removeParametrizations', (layer: nn.Linear) => void removeParametrizations(layer, 'weight')],
    ['fold', (layer: nn.Linear) => void fold(layer)],
  ])('%s in training mode leaves the value of the vectors as they are', (_, end) => {
    const layer = movable();
    const { u, v } = vectorsOf(layer);
    const wanted = definitionOf(layer).value(originalOf(layer), u, v);
    end(layer);
    expect(flatten(layer.weight)).toBeAllClose(wanted, { relative: 1e-4 });
    layer.dispose();
  });
});

describe('The power iteration moves on', () => {
  it('once for each entry inside cached', () => {
    const layer = movable();
    const reference = definitionOf(layer);
    const W = originalOf(layer);
    const first = vectorsOf(layer);
    const one = reference.step(W, first.u, first.v);
    const two = reference.step(W, one.u, one.v);
    cached(() => {
      for (let i = 0; i < 3; i++) inTidy(() => void layer.weight);
      layer.weight;
      expect(vectorsOf(layer).u).toBeAllClose(one.u, { relative: 1e-4 });
      inTidy(
        () => void tf.variableGrads(() => tf.add(tf.sum(layer.weight), tf.sum(tf.square(layer.weight)))),
      );
      expect(vectorsOf(layer).u).toBeAllClose(two.u, { relative: 1e-4 });
      layer.weight;
      expect(vectorsOf(layer).u).toBeAllClose(two.u, { relative: 1e-4 });
    });
    layer.dispose();
  });

  it.each(['LSTM', 'GRU', 'RNN'] as const)('once for each forward of a %s, on a tape too', (type) => {
    nn.manualSeed(2);
    const layer = new nn[type](3, 4);
    const name = 'weight_hh_l0';
    spectralNorm(layer as nn.LSTM, name);
    const list = listOn(layer, name);
    write(list.original!, numbers(...(list.shape as [number, number])));
    const reference = spectralDefinition([...list.shape], 0);
    const sequence = tf.ones([5, 2, 3]) as tf.Tensor3D;
    const run = (): tf.Tensor => (layer as nn.LSTM).call(sequence)[0];
    for (const pass of [
      () => inTidy(() => void run()),
      () => inTidy(() => void tf.variableGrads(() => tf.sum(run()) as tf.Scalar)),
    ]) {
      const { evaluations } = list;
      const before = vectorsOf(layer, name);
      const wanted = reference.step(flatten(list.original!), before.u, before.v);
      pass();
      expect(list.evaluations).toBe(evaluations + 1);
      expect(vectorsOf(layer, name).u).toBeAllClose(wanted.u, { relative: 1e-4 });
      expect(vectorsOf(layer, name).v).toBeAllClose(wanted.v, { relative: 1e-4 });
    }
    sequence.dispose();
    layer.dispose();
  });
});

describe('spectralNorm of a vector', () => {
  it('divides by the norm, has no buffers, and is evaluated once until the original changes', () => {
    const layer = spectralNorm(new nn.Linear(2, 3), 'bias');
    const list = listOn(layer, 'bias');
    expect(layer.buffers()).toEqual([]);
    write(list.original!, () => tf.tensor1d([2, -3, 6]));
    const { evaluations } = list;
    expect(read(layer, 'bias')).toBeAllClose([2 / 7, -3 / 7, 6 / 7]);
    expect(layer.bias).toBe(layer.bias);
    expect(list.evaluations).toBe(evaluations + 1);
    layer.dispose();
  });

  it('takes eps as the lower bound of the norm, as torch', () => {
    const host = { bias: nn.parameter(() => tf.tensor1d([0.03, 0.04])) as tf.Tensor };
    spectralNorm(host, 'bias', { eps: 0.5 });
    inTidy(() => expect(host.bias).toBeAllClose([0.06, 0.08]));
    const map = mapOf(host, 'bias');
    map.eps = 0;
    inTidy(() => expect(host.bias).toBeAllClose([0.6, 0.8]));
    removeParametrizations(host, 'bias');
    host.bias.dispose();
  });
});

describe('A weight of any magnitude', () => {
  const base = [1, -2, 0.5, 3, -1, 2, 0.25, 1.5, -0.75, 2, 1, -1];
  const { largest, gradient } = spectralDefinition([3, 4], 0);

  it.each([1e-30, 1e-20, 1, 1e18, 1e30])('is divided by its largest singular value: %d', (scale) => {
    nn.manualSeed(1);
    const layer = new nn.Linear(4, 3, { bias: false });
    write(layer.weight, () =>
      tf.tensor(
        base.map((element) => element * scale),
        [3, 4],
      ),
    );
    spectralNorm(layer);
    for (let i = 0; i < 20; i++) inTidy(() => void layer.weight);
    expect(flatten(read(layer) as number[][])).toBeAllClose(
      base.map((element) => element / largest(base)),
      {
        relative: 1e-4,
      },
    );
    inTidy(() => {
      const dY = numbers(3, 4)();
      const { grads } = tf.variableGrads(() => tf.sum(tf.mul(layer.weight, dY)) as tf.Scalar);
      const { u, v } = vectorsOf(layer);
      const received = flatten(grads[listOn(layer).original!.name]!).map((element) => element * scale);
      expect(received).toBeAllClose(gradient(base, u, v, flatten(dY)), { relative: 1e-3, absolute: 1e-4 });
    });
    layer.dispose();
  });

  it('may be zero in training, and is normalized once it is not', () => {
    nn.manualSeed(1);
    const layer = new nn.Linear(4, 3, { bias: false });
    write(layer.weight, () => tf.zeros([3, 4]));
    spectralNorm(layer);
    for (let i = 0; i < 3; i++) expect(flatten(read(layer) as number[][])).toEqual(new Array(12).fill(0));
    write(listOn(layer).original!, () => tf.tensor(base, [3, 4]));
    for (let i = 0; i < 30; i++) inTidy(() => void layer.weight);
    expect(singularValues(read(layer) as number[][])[0]).toBeCloseTo(1, 4);
    layer.dispose();
  });

  it('may be assigned in eval mode: the vectors follow it, and it is divided by its own singular value', () => {
    const layer = spectralNorm(new nn.Linear(4, 3, { bias: false })).eval();
    inTidy(() => {
      layer.weight = tf.tensor2d([
        [0, 0, 9, 0],
        [1, 0, 0, 0],
        [0, 2, 0, 0],
      ]);
    });
    expect(singularValues(read(layer) as number[][])[0]).toBeCloseTo(1, 4);
    layer.dispose();
  });

  it('leaves the vectors finite while it is not finite itself', () => {
    for (const element of [Number.POSITIVE_INFINITY, Number.NaN]) {
      const layer = movable();
      write(listOn(layer).original!, () => tf.tensor([element, ...base.slice(1)], [3, 4]));
      for (let i = 0; i < 3; i++) forward(layer);
      expect([...vectorsOf(layer).u, ...vectorsOf(layer).v].every(Number.isFinite)).toBe(true);
      write(listOn(layer).original!, () => tf.tensor(base, [3, 4]));
      for (let i = 0; i < 30; i++) forward(layer);
      expect(singularValues(read(layer) as number[][])[0]).toBeCloseTo(1, 4);
      layer.dispose();
    }
  });
});

describe('The estimate of spectralNorm', () => {
  const weights = fc
    .record({ m: fc.integer({ min: 1, max: 5 }), n: fc.integer({ min: 1, max: 5 }), seed: fc.integer() })
    .map(({ m, n, seed }) => ({
      shape: [m, n] as [number, number],
      W: inTidy(() => flatten(tf.randomNormal([m, n], 0, 1, 'float32', seed))),
    }));

  it('only grows with the reads of a weight, up to the largest singular value', () => {
    fc.assert(
      fc.property(weights, ({ shape, W }) => {
        const { largest, sigma } = spectralDefinition(shape, 0);
        const layer = spectralNorm(new nn.Linear(shape[1], shape[0], { bias: false }));
        write(listOn(layer).original!, () => tf.tensor(W, shape));
        const wanted = largest(W);
        let last = 0;
        for (let k = 0; k < 8; k++) {
          inTidy(() => void layer.weight);
          const { u, v } = vectorsOf(layer);
          const estimate = sigma(W, u, v);
          expect(estimate).toBeGreaterThanOrEqual(last * (1 - 1e-5));
          expect(estimate).toBeLessThanOrEqual(wanted * (1 + 1e-5));
          last = estimate;
        }
        mapOf(layer).nPowerIterations = 300;
        inTidy(() => void layer.weight);
        const { u, v } = vectorsOf(layer);
        expect(sigma(W, u, v)).toBeGreaterThanOrEqual(wanted * 0.99);
        layer.dispose();
      }),
      { numRuns: 25 },
    );
  });

  it('makes an eval layer stretch no difference of inputs', () => {
    fc.assert(
      fc.property(weights, fc.integer(), ({ shape, W }, seed) => {
        const layer = spectralNorm(new nn.Linear(shape[1], shape[0]), 'weight', { nPowerIterations: 300 });
        write(listOn(layer).original!, () => tf.tensor(W, shape));
        inTidy(() => void layer.weight);
        layer.eval();
        inTidy(() => {
          const [a, b] = [seed, seed + 1].map((s) => tf.randomNormal([8, shape[1]], 0, 3, 'float32', s));
          const lengths = (rows: tf.Tensor): number[] => flatten(tf.sqrt(tf.sum(tf.square(rows), 1)));
          const before = lengths(tf.sub(a!, b!));
          const after = lengths(tf.sub(layer.call(a!), layer.call(b!)));
          after.forEach((length, i) => {
            expect(length).toBeLessThanOrEqual(before[i]! * 1.011 + 1e-5);
          });
        });
        layer.dispose();
      }),
      { numRuns: 25 },
    );
  });
});

describe('A SpectralNorm', () => {
  it('makes cached values stale when eps or nPowerIterations are set', () => {
    const layer = movable().eval();
    const list = listOn(layer);
    layer.weight;
    const { evaluations } = list;
    layer.weight;
    expect(list.evaluations).toBe(evaluations);
    mapOf(layer).eps = 1e-6;
    layer.weight;
    expect(list.evaluations).toBe(evaluations + 1);
    mapOf(layer).nPowerIterations = 4;
    layer.weight;
    expect(list.evaluations).toBe(evaluations + 2);
    expect([mapOf(layer).eps, mapOf(layer).nPowerIterations]).toEqual([1e-6, 4]);
    layer.dispose();
  });

  it('leaves a vector as it is where the product is not longer than eps, in units of the largest element', () => {
    for (const scale of [1, 1000]) {
      const layer = movable();
      write(listOn(layer).original!, () => tf.mul(numbers(3, 4)(), scale));
      const before = vectorsOf(layer);
      mapOf(layer).eps = 100;
      forward(layer);
      expect(vectorsOf(layer)).toEqual(before);
      mapOf(layer).eps = 1e-3;
      forward(layer);
      expect(vectorsOf(layer)).not.toEqual(before);
      layer.dispose();
    }
  });

  it('is pure in eval mode and not in training mode: reads there are the caller’s', () => {
    const layer = movable();
    const [a, b] = [layer.weight, layer.weight];
    expect(a === b).toBe(false);
    expect(flatten(a)).not.toEqual(flatten(b));
    tf.dispose([a, b]);
    layer.eval();
    expect(layer.weight).toBe(layer.weight);
    layer.dispose();
  });

  it('is independent on a clone, and with it disposed', () => {
    const layer = movable();
    const copy = layer.clone();
    expect(vectorsOf(copy)).toEqual(vectorsOf(layer));
    const start = vectorsOf(layer);
    forward(copy);
    expect(vectorsOf(layer)).toEqual(start);
    expect(forward(layer)).toEqual(forward(copy.eval()));
    const { _u } = mapOf(copy);
    copy.dispose();
    expect(_u!.isDisposed).toBe(true);
    expect(mapOf(layer)._u!.isDisposed).toBe(false);
    layer.dispose();
    expect(mapOf(layer)._u!.isDisposed).toBe(true);
  });

  it('stays the caller’s if it was passed in', () => {
    const layer = new nn.Linear(4, 3);
    const map = new SpectralNorm(layer.weight, { nPowerIterations: 2, dim: -1 });
    expect(String(map)).toBe('SpectralNorm(nPowerIterations=2, eps=1e-12, dim=1)');
    registerParametrization(layer, 'weight', map);
    removeParametrizations(layer, 'weight');
    expect(map._u!.isDisposed).toBe(false);
    layer.dispose();
    map.dispose();
  });

  it('begins with vectors that follow the seed', () => {
    const start = (seed: number): { u: number[]; v: number[] } => {
      nn.manualSeed(seed);
      const layer = spectralNorm(new nn.Linear(4, 3));
      const vectors = vectorsOf(layer);
      layer.dispose();
      return vectors;
    };
    expect(start(3)).toEqual(start(3));
    expect(start(3)).not.toEqual(start(4));
  });

  it('holds for the tensors of a plain object, and of every float32 rank', () => {
    for (const shape of [
      [3, 2],
      [2, 3, 2],
      [2, 2, 2, 2],
      [2, 1, 2, 2, 2],
    ]) {
      for (const dim of [0, -1]) {
        const host = { kernel: nn.parameter(numbers(...shape)) as tf.Tensor };
        spectralNorm(host, 'kernel', { dim, nPowerIterations: 100 });
        const { matrix } = spectralDefinition(shape, dim < 0 ? shape.length - 1 : 0);
        const value = flatten(read(host, 'kernel') as number[]);
        expect(singularValues(matrix(value))[0]).toBeCloseTo(1, 3);
        removeParametrizations(host, 'kernel');
        host.kernel.dispose();
      }
    }
  });
});
