import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { kronecker, nn, parametrizationsOn } from '../../src/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { describeEntryGolden } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

describeEntryLaws(kronecker as Entry, {
  optionsFor: ([rows, columns]) => ({
    shapes: [
      [rows! / 2, 2],
      [2, columns! / 2],
    ],
  }),
  cases: [
    {
      shape: [4, 6],
      options: {
        shapes: [
          [2, 3],
          [2, 2],
        ],
      },
    },
    {
      shape: [2, 4, 3],
      options: {
        shapes: [
          [4, 1],
          [1, 3],
        ],
      },
    },
    {
      shape: [1, 1],
      options: {
        shapes: [
          [1, 1],
          [1, 1],
        ],
      },
    },
  ],
});

it('kronecker finds the nearest product, of factors with the same norm', () => {
  const layer = new nn.Linear(4, 4, { bias: false });
  nn.manualSeed(3);
  inTidy(() => {
    const [A, B] = [
      tf.tensor2d([
        [1, 2],
        [3, -1],
      ]),
      tf.tensor2d([
        [2, 1],
        [0, 4],
      ]),
    ];
    const blocks = tf.mul(tf.reshape(A, [2, 1, 2, 1]), tf.reshape(B, [1, 2, 1, 2]));
    const other = tf.reshape(tf.mul(blocks, tf.reshape(tf.tensor1d([0, 1e-3, 0, 0]), [1, 2, 1, 2])), [4, 4]);
    // The difference is proportional to A and orthogonal to nothing, so the nearest product is A ⊗ B changed in B.
    (layer.weight as tf.Variable).assign(tf.add(tf.reshape(blocks, [4, 4]), other));
    kronecker(layer, {
      shapes: [
        [2, 2],
        [2, 2],
      ],
    });
    expect(layer.weight).toBeAllClose(tf.add(tf.reshape(blocks, [4, 4]), other), {
      relative: 1e-5,
      absolute: 1e-5,
    });
    const list = parametrizationsOn(layer, 'weight') as unknown as Record<string, tf.Tensor>;
    expect(tf.norm(list['A']!)).toBeAllClose(tf.norm(list['B']!));
  });
  layer.dispose();
});

it('kronecker of zeros has a factor that trains', () => {
  const layer = new nn.Linear(4, 4, { bias: false });
  inTidy(() => {
    (layer.weight as tf.Variable).assign(tf.zeros([4, 4]));
    kronecker(layer, {
      shapes: [
        [2, 2],
        [2, 2],
      ],
    });
    expect(layer.weight).toBeAllClose(tf.zeros([4, 4]));
    const { grads } = tf.variableGrads(() => tf.sum(layer.weight), layer.parameters());
    expect(Object.values(grads).some((grad) => tf.max(tf.abs(grad)).dataSync()[0]! > 1e-3)).toBe(true);
  });
  layer.dispose();
});

it('kronecker refuses missing and wrong shapes, and changes nothing', () => {
  const layer = new nn.Linear(4, 4, { bias: false });
  expect(() => kronecker(layer)).toThrow(expect.objectContaining({ code: 'OPTION' }));
  expect(() =>
    kronecker(layer, {
      shapes: [
        [2, 2],
        [2, 0],
      ],
    }),
  ).toThrow(expect.objectContaining({ code: 'OPTION' }));
  expect(() =>
    kronecker(layer, {
      shapes: [
        [2, 2],
        [3, 2],
      ],
    }),
  ).toThrow(expect.objectContaining({ code: 'SHAPE' }));
  expect(Object.keys(layer.stateDict())).toEqual(['weight']);
  layer.dispose();
});

describeEntryGolden(kronecker as Entry);
