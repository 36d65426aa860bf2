import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { hurwitz, nn } from '../../src/index.ts';
import { tensorOf } from '../nn/golden.ts';
import { matrices } from '../ops/matrix/matrixCases.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';
import { describeEntryGolden, disposeHost, insideOf, registered } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

describeEntryLaws(hurwitz as Entry, {
  cases: [
    { shape: [3, 3] },
    { shape: [2, 4, 4], options: { alpha: 0.5 } },
    { shape: [1, 1], options: { alpha: 0.25 } },
  ],
});

describeEntryGolden(hurwitz as Entry);

describe('hurwitz', () => {
  it.each(insideOf('hurwitz'))('keeps a stable matrix', async (one) => {
    const options = { alpha: one['alpha'] as number };
    const value = tensorOf(one.value);
    expect(await hurwitz.contains(value, 1e-5, options)).toBe(true);
    const host = registered(hurwitz as Entry, value.shape, options);
    inTidy(() => {
      host.weight = value;
      const most = Math.max(...flatten(value).map(Math.abs));
      expect(host.weight).toBeAllClose(value, { relative: 0, absolute: 2e-5 * most });
    });
    disposeHost(host);
    value.dispose();
  });

  it('tells stable matrices by their eigenvalues, and not by their symmetric part', async () => {
    const [stable, unstable] = [
      [-1, 100, 0, -1],
      [-1, 2, 2, -1],
    ].map((numbers) => tf.tensor2d(numbers, [2, 2])) as [tf.Tensor, tf.Tensor];
    expect(await hurwitz.contains(stable, 1e-6)).toBe(true);
    expect(await hurwitz.contains(stable, 1e-6, { alpha: 1.1 })).toBe(false);
    expect(await hurwitz.contains(unstable)).toBe(false);
    tf.dispose([stable, unstable]);
  });

  it('moves an unstable matrix to the left by a multiple of I', () => {
    const host = registered(hurwitz as Entry, [3, 3], {});
    inTidy(() => {
      const value = matrices([3, 3]);
      host.weight = value;
      const difference = flatten(tf.sub(value, host.weight));
      const move = difference[0]!;
      expect(move).toBeGreaterThan(0);
      expect(difference).toBeAllClose([move, 0, 0, 0, move, 0, 0, 0, move], { absolute: 1e-4 });
    });
    disposeHost(host);
  });

  it('refuses matrices that are not square, and changes nothing', () => {
    const layer = new nn.Linear(2, 3);
    expect(() => hurwitz(layer)).toThrow(expect.objectContaining({ code: 'SHAPE' }));
    expect(() => hurwitz.sample([2, 3])).toThrow(expect.objectContaining({ code: 'SHAPE' }));
    expect(layer.parametrizations).toBeUndefined();
    layer.dispose();
  });
});
