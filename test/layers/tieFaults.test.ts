import * as tf from '@tensorflow/tfjs';
import {
  cached,
  clone,
  evaluate,
  fold,
  isParametrized,
  nn,
  parametrizationsOn,
  spectralNorm,
  tie,
  weightNorm,
} from 'tfjs-parametrize';
import 'tfjs-parametrize/layers';
import { describe, expect, it } from 'vitest';
import { disposeModel } from './layerCases.ts';

describe('a tied tensor whose source has state', () => {
  it('moves the power iteration with each read of both layers of tf.layers, and only in training', async () => {
    const make = (units: number[]): tf.Sequential =>
      tf.sequential({
        layers: units.map((size, i) =>
          tf.layers.dense({
            units: size,
            name: `l${i}`,
            useBias: false,
            ...(i === 0 && { inputShape: [3] }),
          }),
        ),
      });
    const [model, one] = [make([3, 3]), make([3])];
    tie(model.getLayer('l1'), 'kernel', model.getLayer('l0'));
    one.setWeights(model.getWeights());
    for (const each of [model, one]) spectralNorm(each.getLayer('l0') as never, 'kernel');
    const vectorsOf = (each: tf.LayersModel) =>
      parametrizationsOn(each.getLayer('l0'), 'kernel')[0] as unknown as Record<'_u' | '_v', tf.Variable>;
    const uOf = (each: tf.LayersModel): tf.Variable => vectorsOf(each)._u;
    // Both vectors: the one that starts the iteration decides the signs.
    for (const each of [model, one]) {
      const { _u, _v } = vectorsOf(each);
      for (const vector of [_u, _v]) tf.tidy(() => vector.assign(tf.tensor1d([1, 0, 0])));
    }
    const [x, y] = [tf.ones([2, 3]), tf.zeros([2, 3])];
    const before = uOf(model).arraySync();
    tf.dispose(model.predict(x));
    expect(uOf(model).arraySync()).toEqual(before);
    for (const each of [model, one]) {
      each.compile({ optimizer: tf.train.sgd(0), loss: 'meanSquaredError' });
      // A pass of the tied model has two reads, as two passes of the other one have.
      await each.fit(x, y, { batchSize: 2, epochs: each === model ? 1 : 2, verbose: 0 });
    }
    expect(uOf(model).arraySync()).not.toEqual(before);
    expect(uOf(model)).toBeAllClose(uOf(one));
    tf.dispose([x, y]);
    for (const each of [model, one]) disposeModel(each);
  });

  it('shares the value with its source in cached', () => {
    const [a, b] = [new nn.Linear(3, 3), new nn.Linear(3, 3)];
    tie(b, 'weight', a);
    spectralNorm(a);
    cached(() => {
      expect(b.weight).toBe(a.weight);
    });
    a.dispose();
    b.dispose();
  });

  it('is copied with its source', () => {
    const [a, b] = [new nn.Linear(3, 3), new nn.Linear(3, 3)];
    tie(b, 'weight', a);
    spectralNorm(a);
    const copy = clone(new nn.ModuleDict({ a, b }));
    copy.eval();
    tf.tidy(() => {
      expect((copy.get('b') as nn.Linear).weight).toBeAllClose((copy.get('a') as nn.Linear).weight);
    });
    copy.dispose();
    a.dispose();
    b.dispose();
  });

  it('is folded alone, and its source stays parametrized', () => {
    const [a, b] = [new nn.Linear(3, 3), new nn.Linear(3, 3)];
    tie(b, 'weight', a);
    spectralNorm(a);
    fold(b);
    expect([isParametrized(a), isParametrized(b)]).toEqual([true, false]);
    a.dispose();
    b.dispose();
  });

  it('is a coded error after the source was disposed', () => {
    const [a, b] = [new nn.Linear(3, 3), new nn.Linear(3, 3)];
    tie(b, 'weight', a);
    a.dispose();
    expect(() => b.weight).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
    b.dispose();
  });

  it('shows tensors of evaluate inside of cached, with gradients of the second order', () => {
    const [a, b] = [new nn.Linear(2, 2, { bias: false }), new nn.Linear(2, 2, { bias: false })];
    tie(b, 'weight', a, 'weight', { transpose: true });
    weightNorm(a);
    const model = new nn.Sequential(a, b);
    tf.tidy(() => {
      const x = tf.tensor2d([[0.5, -1]]);
      const w = tf.tensor2d([
        [1, 2],
        [3, 4],
      ]);
      const loss = (t: tf.Tensor): tf.Scalar =>
        cached(() => {
          const inner = b.weight;
          const result = evaluate(model, { '0.weight': t }, () => tf.sum(model.call(x)) as tf.Scalar);
          expect(b.weight).toBe(inner);
          return result;
        });
      const plain = (t: tf.Tensor): tf.Scalar =>
        tf.sum(tf.matMul(tf.matMul(x, t, false, true), t)) as tf.Scalar;
      const second = (f: (t: tf.Tensor) => tf.Scalar) => tf.grad((t) => tf.sum(tf.square(tf.grad(f)(t))))(w);
      expect(tf.grad(loss)(w)).toBeAllClose(tf.grad(plain)(w));
      expect(second(loss)).toBeAllClose(second(plain));
    });
    model.dispose();
  });
});
