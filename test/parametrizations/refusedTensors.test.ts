import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import {
  type CatalogFunction,
  catalog,
  checked,
  doublyStochastic,
  interval,
  isParametrized,
  ordered,
  positiveSemidefinite,
  removeParametrizations,
  type SetFunctions,
  stableDiagonal,
} from '../../src/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';

type Entry = CatalogFunction<object> & SetFunctions<object>;

/** The options of the maps that need some. */
const needed: Record<string, object> = {
  fixedRank: { rank: 1 },
  kronecker: {
    shapes: [
      [1, 1],
      [2, 2],
    ],
  },
  lowRank: { rank: 1 },
};

const entries = Object.entries(catalog)
  .filter(([, entry]) => 'contains' in entry)
  .map(([name, entry]) => [name, entry as unknown as Entry, needed[name] ?? {}] as const);

describe('an entry of the catalog', () => {
  // tfjs has no complex tensors on wasm.
  it.runIf(process.env['TFJS_BACKEND'] === 'cpu').each(entries)(
    '%s: refuses a complex tensor, and changes nothing',
    async (name, entry, options) => {
      const host = { weight: tf.tidy(() => tf.variable(tf.complex(tf.ones([2, 2]), tf.ones([2, 2])))) };
      const { weight } = host;
      expect(() => entry(host, 'weight', options)).toThrow(
        expect.objectContaining({ code: 'DTYPE', message: expect.stringContaining(name) }),
      );
      expect(host.weight).toBe(weight);
      expect(isParametrized(host)).toBe(false);
      expect(await entry.contains(weight, undefined, options)).toBe(false);
      weight.dispose();
    },
  );

  const matrices = ['aol', 'circulant', 'fixedRank', 'hurwitz', 'invertible', 'kronecker', 'lowRank'];
  it.each(entries.filter(([name]) => [...matrices, 'specialLinear', 'toeplitz'].includes(name)))(
    '%s: refuses matrices without elements, which are not in its set',
    async (_, entry, options) => {
      for (const shape of [
        [0, 3],
        [3, 0],
        [0, 3, 3],
      ]) {
        const host = { weight: tf.tidy(() => tf.variable(tf.zeros(shape))) };
        expect(() => entry(host, 'weight', options)).toThrow(expect.objectContaining({ code: 'SHAPE' }));
        expect(() => entry.sample(shape, options)).toThrow(expect.objectContaining({ code: 'SHAPE' }));
        expect(await entry.contains(host.weight, undefined, options)).toBe(false);
        host.weight.dispose();
      }
    },
  );

  it.each([[], [3], [0, 3], [2, 3]])('positiveSemidefinite: has no sample of shape %j', (...shape) => {
    expect(() => positiveSemidefinite.sample(shape.flat())).toThrow(
      expect.objectContaining({ code: 'SHAPE' }),
    );
  });

  it('positiveSemidefinite: samples a batch of no matrices', () => {
    const sample = positiveSemidefinite.sample([0, 3, 3]);
    expect(sample.shape).toEqual([0, 3, 3]);
    sample.dispose();
  });

  it('ordered: takes a tensor without elements', () => {
    for (const shape of [
      [0, 3],
      [3, 0],
    ]) {
      const host = { weight: tf.tidy(() => tf.variable(tf.zeros(shape))) };
      ordered(host);
      inTidy(() => expect(host.weight.shape).toEqual(shape));
      removeParametrizations(host, 'weight');
      host.weight.dispose();
    }
  });

  it('stableDiagonal: refuses integers', () => {
    const host = { weight: tf.tidy(() => tf.variable(tf.zeros([2, 2], 'int32'))) };
    expect(() => stableDiagonal(host)).toThrow(expect.objectContaining({ code: 'DTYPE' }));
    host.weight.dispose();
  });

  it.runIf(process.env['TFJS_BACKEND'] === 'cpu')('checked refuses a complex tensor', async () => {
    const host = { weight: tf.tidy(() => tf.variable(tf.complex(tf.ones([2]), tf.ones([2])))) };
    await expect(checked(host, 'weight', interval)).rejects.toMatchObject({ code: 'DTYPE' });
    await expect(checked(host, 'weight', doublyStochastic)).rejects.toMatchObject({ code: 'DTYPE' });
    host.weight.dispose();
  });
});
