import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { type AlmostOrthogonalOptions, almostOrthogonal, nn, parametrizationsOn } from '../../src/index.ts';
import { tensorOf } from '../nn/golden.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { describeEntryGolden, disposeHost, insideOf, outsideOf, registered } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

describeEntryLaws(almostOrthogonal as Entry, {
  checksRoom: true,
  cases: [
    { shape: [4, 3] },
    { shape: [3, 3], options: { lambda: 0.5 } },
    { shape: [2, 2, 3], options: { orthogonalMap: 'polar', lambda: 1 } },
    { shape: [5, 2], options: { orthogonalMap: 'matrixExp' } },
    { shape: [1, 3], options: { orthogonalMap: 'cayley' } },
    { shape: [1, 1] },
  ],
});

// A singular value at a bound moves by 1e-4·λ.
describeEntryGolden(almostOrthogonal as Entry, { options: ({ f: _, ...options }) => options, kept: 5e-5 });

describe('almostOrthogonal', () => {
  it.each(outsideOf('almostOrthogonal'))('moves a value outside to the nearest one', (one) => {
    const options = { lambda: one['lambda'] as number };
    const host = registered(almostOrthogonal as Entry, one.given.shape, options);
    inTidy(() => {
      host.weight = tensorOf(one.given);
      expect(host.weight).toBeAllClose(tensorOf(one.nearest), { relative: 0, absolute: 1e-4 });
    });
    disposeHost(host);
  });

  it.each(insideOf('almostOrthogonal'))('keeps a member', async (one) => {
    const options = { lambda: one['lambda'] as number };
    const value = tensorOf(one.value);
    expect(await almostOrthogonal.contains(value, 1e-5, options)).toBe(true);
    const host = registered(almostOrthogonal as Entry, value.shape, options);
    inTidy(() => {
      host.weight = value;
      expect(host.weight).toBeAllClose(value, { relative: 0, absolute: 1e-4 });
    });
    disposeHost(host);
    value.dispose();
  });

  it('refuses singular values beyond λ on either side', async () => {
    const values = [1.11, 0.89, 1.09].map((sigma) => tf.tidy(() => tf.diag(tf.tensor1d([1, sigma]))));
    const found = await Promise.all(values.map((value) => almostOrthogonal.contains(value, 1e-4)));
    expect(found).toEqual([false, false, true]);
    tf.dispose(values);
  });

  it('has a base only for maps that need one, and the names of its originals', () => {
    const maps: [AlmostOrthogonalOptions, number[][]][] = [
      [{}, []],
      [{ orthogonalMap: 'polar' }, []],
      [{ orthogonalMap: 'cayley' }, [[5, 2]]],
    ];
    for (const [options, shapes] of maps) {
      const layer = almostOrthogonal(new nn.Linear(2, 5), options);
      expect(layer.buffers().map(({ shape }) => shape)).toEqual(shapes);
      const list = parametrizationsOn(layer, 'weight');
      expect([list['X' as 'original']!.shape, list['S' as 'original']!.shape]).toEqual([
        [5, 2],
        [2, 2],
      ]);
      layer.dispose();
    }
  });

  it('refuses a λ of 0 and above 1, and changes nothing', () => {
    const layer = new nn.Linear(2, 2);
    for (const lambda of [0, -1, 1.5, Number.NaN]) {
      expect(() => almostOrthogonal(layer, { lambda })).toThrow(
        `almostOrthogonal: lambda is ${lambda}, it must be a number above 0 and at most 1. For 0, use orthogonal`,
      );
    }
    expect(layer.parametrizations).toBeUndefined();
    layer.dispose();
  });
});
