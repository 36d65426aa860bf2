import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import {
  clone,
  defineParametrization,
  nn,
  Parametrization,
  parametrizationsOn,
  removeParametrizations,
  transferParametrizationsAndParams,
} from '../../src/index.ts';
import '../../src/layers/index.ts';

interface LowRankOptions {
  readonly rank?: number;
}

/** `W = base + B·A`: only A and B are trained. */
class LowRank extends Parametrization {
  readonly rank: number;

  constructor(options: LowRankOptions = {}) {
    super();
    this.rank = this.checkedOptions(options).rank;
  }

  override forward(A: tf.Tensor, B: tf.Tensor, base: tf.Tensor): tf.Tensor {
    if (base.shape[0] === 5) throw new Error('no layer of five');
    return tf.add(base, tf.matMul(B, A));
  }

  override rightInverse(W: tf.Tensor): tf.Tensor[] {
    const [m, n] = W.shape as [number, number];
    return [tf.ones([this.rank, n]), tf.zeros([m, this.rank]), W];
  }

  override isPure(): boolean {
    return true;
  }
}

const lowRank = defineParametrization<LowRank, LowRankOptions>({
  name: 'lowRank',
  class: LowRank,
  options: { rank: { default: 1, expected: 'a positive integer', accepts: (rank) => rank > 0 } },
  originals: { A: { trainable: true }, B: { trainable: true }, base: { trainable: false } },
  make: (_, options) => new LowRank(options),
});

const flags = (host: object, name: string): boolean[] => {
  const { original0, original1, original2 } = parametrizationsOn(host as never, name) as unknown as Record<
    string,
    tf.Variable
  >;
  return [original0, original1, original2].map((original) => original!.trainable);
};

describe('the originals of a definition', () => {
  it('have its names', () => {
    const layer = lowRank(new nn.Linear(3, 2));
    const list = parametrizationsOn(layer, 'weight') as unknown as Record<string, tf.Variable>;
    expect(['A', 'B', 'base'].map((name) => list[name])).toEqual(
      ['original0', 'original1', 'original2'].map((name) => list[name]),
    );
    layer.dispose();
  });

  it.each([true, false])(
    'are trained as it says, whether the tensor was (%s), until removal',
    (wasTrained) => {
      const layer = new nn.Linear(3, 2);
      const weight = layer.weight as tf.Variable;
      weight.trainable = wasTrained;
      lowRank(layer);
      expect(flags(layer, 'weight')).toEqual([true, true, false]);
      const copy = clone(layer);
      const other = new nn.Linear(3, 2);
      transferParametrizationsAndParams(layer, other, 'weight');
      for (const host of [copy, other, layer]) {
        removeParametrizations(host, 'weight');
        expect((host.weight as tf.Variable).trainable).toBe(wasTrained);
        if (host === layer) expect(host.weight).toBe(weight);
      }
      for (const host of [layer, copy, other]) host.dispose();
    },
  );

  it('are in the lists of a layer of tf.layers as it says', () => {
    const layer = tf.layers.dense({ units: 2, inputShape: [3] });
    const model = tf.sequential({ layers: [layer] });
    lowRank(layer, { rank: 2 });
    expect(layer.trainableWeights.map(({ shape }) => shape)).toEqual([[2, 2], [3, 2], [2]]);
    removeParametrizations(layer, 'kernel');
    expect(layer.trainableWeights.map(({ shape }) => shape)).toEqual([[3, 2], [2]]);
    model.dispose();
  });

  it('leave the tensor as it was where registration fails', () => {
    const layer = new nn.Linear(3, 5);
    const weight = layer.weight as tf.Variable;
    expect(() => lowRank(layer)).toThrow('no layer of five');
    expect([layer.weight, weight.trainable]).toEqual([weight, true]);
    layer.dispose();
  });
});
