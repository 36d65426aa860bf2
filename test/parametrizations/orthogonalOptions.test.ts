import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { saveCheckpoint } from '../../src/checkpoint/index.ts';
import {
  applyRecipe,
  nn,
  type OrthogonalOptions,
  orthogonal,
  parametrizationsOn,
  recipeOf,
  removeParametrizations,
} from '../../src/index.ts';
import { orthogonalMaps } from '../../src/parametrizations/orthogonalMaps/orthogonalMaps.ts';
import { tensorOf } from '../nn/golden.ts';
import { matrices, orthogonalityError } from '../ops/matrix/matrixCases.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';
import { describeEntryGolden, insideOf, outsideOf } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';
import { prepareBase } from './geotorchBase.ts';

describeEntryLaws(orthogonal as Entry, {
  checksRoom: true,
  cases: [
    { shape: [4, 3] },
    { shape: [5, 3], options: { orthogonalMap: 'polar' } },
    { shape: [3, 3], options: { special: true } },
    { shape: [2, 3, 2], options: { matrix: 'dim', dim: 1, orthogonalMap: 'cayley' } },
    { shape: [1, 3], options: { orthogonalMap: 'polar' } },
  ],
});

describeEntryGolden(orthogonal as Entry, { isSameMap: () => true, prepare: prepareBase });
describeEntryGolden(orthogonal as Entry, {
  name: 'specialOrthogonal',
  isSameMap: () => true,
  options: (options) => ({ ...options, special: true }),
  prepare: prepareBase,
});

const hostOf = (value: () => tf.Tensor) => ({ weight: tf.tidy(() => tf.variable(value())) as tf.Tensor });

const freed = (host: { weight: tf.Tensor }): void => {
  removeParametrizations(host, 'weight');
  host.weight.dispose();
};

/** The determinants of a batch of matrices, by elimination in float64. */
function determinants(Q: tf.Tensor): number[] {
  const n = Q.shape.at(-1)!;
  const numbers = flatten(Q);
  return Array.from({ length: numbers.length / n ** 2 }, (_, i) =>
    determinant(
      Array.from({ length: n }, (_, row) => numbers.slice(i * n * n + row * n, i * n * n + (row + 1) * n)),
    ),
  );
}

function determinant(rows: number[][]): number {
  if (rows.length === 0) return 1;
  const first = rows[0]!;
  return first.reduce(
    (sum, x, j) =>
      sum + (-1) ** j * x * determinant(rows.slice(1).map((row) => row.filter((_, column) => column !== j))),
    0,
  );
}

describe('orthogonal, polar', () => {
  it.each(outsideOf('orthogonal'))('moves a value outside to the nearest orthogonal matrix', (one) => {
    const host = hostOf(() => tensorOf(one.given));
    orthogonal(host, 'weight', { orthogonalMap: 'polar' });
    inTidy(() => {
      expect(orthogonal.name).toBe('orthogonal');
      expect(host.weight).toBeAllClose(tensorOf(one.nearest), { relative: 0, absolute: 1e-5 });
    });
    freed(host);
  });

  it.each(insideOf('orthogonal'))('keeps an orthogonal matrix, whatever its determinant', async (one) => {
    const value = tensorOf(one.value);
    const host = hostOf(() => tf.clone(value));
    orthogonal(host, 'weight', { orthogonalMap: 'polar' });
    expect(await orthogonal.contains(value, 1e-5)).toBe(true);
    inTidy(() => expect(host.weight).toBeAllClose(value, { relative: 0, absolute: 1e-6 }));
    freed(host);
    value.dispose();
  });

  it('has no buffer, and refuses a base', () => {
    const layer = orthogonal(new nn.Linear(3, 3), { orthogonalMap: 'polar' });
    expect(layer.buffers()).toEqual([]);
    expect(String(parametrizationsOn(layer, 'weight')[0])).toBe(
      'Orthogonal(orthogonalMap=polar, useTrivialization=false)',
    );
    layer.dispose();
    const other = new nn.Linear(3, 3);
    expect(() => orthogonal(other, { orthogonalMap: 'polar', useTrivialization: true })).toThrow(
      expect.objectContaining({ code: 'OPTION' }),
    );
    expect(other.parametrizations).toBeUndefined();
    other.dispose();
  });
});

describe('orthogonal, special', () => {
  const ways: OrthogonalOptions[] = [
    {},
    { orthogonalMap: 'cayley' },
    { orthogonalMap: 'householder' },
    { orthogonalMap: 'householder', useTrivialization: false },
    { orthogonalMap: 'matrixExp', useTrivialization: false },
    { orthogonalMap: (X) => orthogonalMaps.cayley(X) },
  ];

  it.each(ways)('makes rotations only, also of reflections and after training: %o', (options) => {
    for (const n of [1, 2, 3, 4]) {
      const host = hostOf(() => tf.mul(matrices([2, n, n]), tf.tensor3d([1, -1], [2, 1, 1])));
      orthogonal(host, 'weight', { ...options, special: true });
      const original = parametrizationsOn(host, 'weight').original!;
      inTidy(() => {
        for (const value of [
          null,
          matrices([2, n, n], 2, 5),
          tf.zeros([2, n, n]),
          tf.neg(matrices([2, n, n])),
        ]) {
          if (value !== null) original.assign(value);
          expect(determinants(host.weight)).toBeAllClose([1, 1], { absolute: 1e-5 });
        }
      });
      freed(host);
    }
  });

  it('keeps a rotation, and negates the last column of a reflection', async () => {
    const [value, reflected] = tf.tidy(() => {
      const value = orthogonal.sample([4, 4], { special: true });
      return [value, tf.mul(value, tf.tensor1d([1, 1, 1, -1]))] as const;
    });
    for (const given of [value, reflected]) {
      const host = hostOf(() => tf.clone(given));
      orthogonal(host, 'weight', { special: true });
      inTidy(() => expect(host.weight).toBeAllClose(value, { absolute: 1e-6 }));
      freed(host);
    }
    expect(await orthogonal.contains(value, 1e-5, { special: true })).toBe(true);
    expect(await orthogonal.contains(reflected, 1e-5, { special: true })).toBe(false);
    expect(await orthogonal.contains(reflected, 1e-5)).toBe(true);
    tf.dispose([value, reflected]);
  });

  it('is refused for matrices without a determinant and for maps that do not keep it', () => {
    const layer = new nn.Linear(3, 3);
    const refused: [OrthogonalOptions, string][] = [
      [{ orthogonalMap: 'polar' }, "special is true, but the map 'polar' does not keep the determinant"],
      [
        { orthogonalMap: (X) => X, useTrivialization: false },
        'special is true, but a function without a base',
      ],
    ];
    for (const [options, text] of refused) {
      expect(() => orthogonal(layer, { ...options, special: true })).toThrow(text);
    }
    const tall = new nn.Linear(2, 3);
    expect(() => orthogonal(tall, { special: true })).toThrow(
      'orthogonal: special is true, but the matrices of shape [3, 2] are 3 × 2, and only square ones have a determinant. Leave special out.',
    );
    expect(() => orthogonal.sample([3, 2], { special: true })).toThrow(
      expect.objectContaining({ code: 'SHAPE' }),
    );
    for (const one of [layer, tall]) {
      expect(one.parametrizations).toBeUndefined();
      one.dispose();
    }
  });
});

describe('orthogonal with a function', () => {
  /** Cayley's map of a part of X that is not 0 at −I. */
  const turned = (X: tf.Tensor): tf.Tensor => orthogonalMaps.cayley(tf.add(X, 1));

  it.each([
    [3, 3],
    [5, 2],
    [2, 5],
    [2, 4, 3],
  ])('keeps an orthogonal weight of any shape', (...shape) => {
    const value = orthogonal.sample(shape);
    const host = hostOf(() => tf.clone(value));
    orthogonal(host, 'weight', { orthogonalMap: turned });
    inTidy(() => {
      expect(host.weight).toBeAllClose(value, { absolute: 2e-6 });
      host.weight = matrices(shape);
      const [m, n] = shape.slice(-2) as [number, number];
      const Q = tf.reshape(host.weight, [-1, m, n]);
      expect(orthogonalityError(m < n ? tf.transpose(Q, [0, 2, 1]) : Q)).toBeLessThan(1e-5);
    });
    expect(String(parametrizationsOn(host, 'weight')[0])).toBe('Orthogonal(orthogonalMap=turned)');
    freed(host);
    value.dispose();
  });

  it('has the function of the weight for a value without a base, and no right inverse', () => {
    const host = hostOf(() => matrices([3, 3]));
    orthogonal(host, 'weight', { orthogonalMap: turned, useTrivialization: false });
    inTidy(() => {
      const wanted = turned(matrices([1, 3, 3]));
      expect(host.weight).toBeAllClose(flatten(wanted));
      expect(() => (host.weight = tf.eye(3))).toThrow(expect.objectContaining({ code: 'RIGHT_INVERSE' }));
    });
    freed(host);
  });

  it('refuses a function that changes the shape, and changes nothing', () => {
    const layer = new nn.Linear(3, 3);
    expect(() => orthogonal(layer, { orthogonalMap: (X) => tf.sum(X, 0) })).toThrow(
      'the function returns shape [3, 3] for a tensor of shape [1, 3, 3]',
    );
    expect(layer.parametrizations).toBeUndefined();
    layer.dispose();
  });

  it('is a step of a recipe that nothing names, which is refused with the remedy', async () => {
    const model = new nn.Sequential(orthogonal(new nn.Linear(3, 3), { orthogonalMap: turned }));
    const recipe = recipeOf(model);
    expect(recipe.parametrizations[0]!.steps).toEqual([{ kind: 'function', options: {} }]);
    const other = new nn.Sequential(new nn.Linear(3, 3));
    expect(() => applyRecipe(other, recipe, { catalog: { orthogonal } })).toThrow(
      "'0.weight' was parametrized by a function without a definition, which a recipe cannot name. Make it with defineParametrization",
    );
    await saveCheckpoint(model, new WritableStream());
    for (const one of [model, other]) one.dispose();
  });
});

describe('the matrices of orthogonal', () => {
  it('are one for each tap of a convolution, or one for the whole filter', async () => {
    const conv = orthogonal(new nn.Conv2d(2, 4, 3), { matrix: 'dim' });
    inTidy(() => {
      const rows = tf.reshape(conv.weight, [4, 18]);
      expect(tf.matMul(rows, rows, false, true)).toBeAllClose(tf.eye(4), { absolute: 1e-5 });
    });
    expect(await orthogonal.contains(conv.weight, 1e-5, { matrix: 'dim' })).toBe(true);
    expect(await orthogonal.contains(conv.weight, 1e-5)).toBe(false);
    conv.dispose();
    const transposed = orthogonal(new nn.ConvTranspose1d(3, 2, 2), { matrix: 'dim' });
    expect(String(parametrizationsOn(transposed, 'weight')[0])).toContain('matrix=dim, dim=1');
    expect(await orthogonal.contains(transposed.weight, 1e-5, { matrix: 'dim', dim: 1 })).toBe(true);
    transposed.dispose();
  });
});

describe('orthogonal.sample', () => {
  it('draws from the Haar distribution: every element has the mean 0 and the variance 1/n', () => {
    nn.manualSeed(1);
    inTidy(() => {
      const Q = orthogonal.sample([2000, 3, 3]);
      const { mean, variance } = tf.moments(Q, 0);
      expect(mean).toBeAllClose(tf.zeros([3, 3]), { absolute: 0.06 });
      expect(variance).toBeAllClose(tf.fill([3, 3], 1 / 3), { absolute: 0.04 });
      const flips = determinants(Q).filter((d) => d < 0).length;
      expect(Math.abs(flips - 1000)).toBeLessThan(120);
    });
  });

  it('draws rotations of pairs of axes from the torus, with a last axis of its own', () => {
    nn.manualSeed(2);
    inTidy(() => {
      const torus = (shape: number[]): number[][] =>
        tf.reshape(orthogonal.sample(shape, { distribution: 'torus' }), shape).arraySync() as number[][];
      const [even, odd] = [torus([4, 4]), torus([3, 3])];
      for (const [i, j] of [
        [0, 2],
        [1, 3],
        [3, 0],
      ] as const)
        expect(even[i]![j]).toBe(0);
      expect(even[0]![0]).toBe(even[1]![1]);
      expect(even[0]![1]).toBe(-even[1]![0]!);
      expect(even[0]![0]).not.toBe(even[2]![2]);
      expect(odd[2]!.map(Math.abs)).toEqual([0, 0, 1]);
      expect(torus([1, 1])).toEqual([[1]]);
    });
  });

  it('takes its distribution only where it draws', () => {
    const layer = new nn.Linear(2, 2);
    expect(() => orthogonal(layer, { distribution: 'torus' } as never)).toThrow(
      expect.objectContaining({ code: 'OPTION' }),
    );
    layer.dispose();
    expect(() => orthogonal.sample([2, 2], { distribution: 'normal' as never })).toThrow(
      "distribution is 'normal', it must be one of 'uniform', 'torus'",
    );
  });
});
