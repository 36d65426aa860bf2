import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { nn, orthogonal, parametrizationsOn, symmetric, updateBase, weightNorm } from '../../../src/index.ts';
import '../../../src/layers/index.ts';
import { matrices } from '../../ops/matrix/matrixCases.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { flatten } from '../../toBeAllClose.ts';

const codeOf = (code: string) => expect.objectContaining({ code });

describe('updateBase', () => {
  it.each(['matrixExp', 'cayley', 'householder'] as const)(
    'moves the base of %s to the value, keeps the value, and X becomes −I',
    (orthogonalMap) => {
      for (const [rows, columns] of [
        [3, 3],
        [4, 2],
        [2, 4],
      ] as const) {
        const layer = orthogonal(new nn.Linear(columns, rows), { orthogonalMap });
        const { original } = parametrizationsOn(layer, 'weight');
        inTidy(() => {
          original!.assign(matrices([rows, columns]));
          const before = flatten(layer.weight);
          expect(updateBase(layer)).toBe(layer);
          expect(layer.weight).toBeAllClose(before, { absolute: 2e-6 });
          expect(original!).toBeAllClose(tf.neg(tf.eye(rows, columns)), { absolute: 0 });
          const base = layer.stateDict()['parametrizations.weight.0.base']!;
          const first = tf.slice(base, [0, 0], [Math.max(rows, columns), Math.min(rows, columns)]);
          const wanted = rows < columns ? tf.transpose(layer.weight) : layer.weight;
          expect(first).toBeAllClose(wanted, { absolute: 2e-6 });
        });
        layer.dispose();
      }
    },
  );

  it('takes a tensor by name, and a layer of tf.layers', () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, useBias: false, inputShape: [3] })] });
    orthogonal(model.layers[0]!);
    const { original } = parametrizationsOn(model.layers[0]!, 'kernel');
    inTidy(() => {
      original!.assign(matrices([3, 3]));
      updateBase(model.layers[0]!, 'kernel');
      expect(original!).toBeAllClose(tf.neg(tf.eye(3)), { absolute: 0 });
    });
    model.dispose();
  });

  it('refuses a tensor without a base, and a host without weights, and changes nothing', () => {
    const layer = new nn.Linear(3, 3);
    expect(() => updateBase(layer)).toThrow(codeOf('NOT_PARAMETRIZED'));
    symmetric(layer);
    expect(() => updateBase(layer)).toThrow(
      'updateBase: no map of Linear.weight has a base: Symmetric(). Register a map with one, such as orthogonal with useTrivialization.',
    );
    expect(() => updateBase(tf.layers.dense({ units: 2 }))).toThrow(codeOf('UNSUPPORTED'));
    layer.dispose();
    const polar = orthogonal(new nn.Linear(3, 3), { orthogonalMap: 'polar' });
    expect(() => updateBase(polar)).toThrow(codeOf('UNSUPPORTED'));
    polar.dispose();
  });

  it('goes through the whole chain', () => {
    const layer = orthogonal(weightNorm(new nn.Linear(3, 3)));
    inTidy(() => {
      const list = parametrizationsOn(layer, 'weight');
      list.original1!.assign(matrices([3, 3]));
      const before = flatten(layer.weight);
      updateBase(layer);
      expect(layer.weight).toBeAllClose(before, { absolute: 2e-6 });
    });
    layer.dispose();
  });
});
