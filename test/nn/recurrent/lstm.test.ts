import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { LSTM, type LSTMOptions, manualSeed } from '../../../src/nn/index.ts';
import { layerCases } from '../golden.ts';
import { example, expectGradients } from '../gradientCheck.ts';
import { statistics } from '../init/statistics.ts';
import { expectLayerCase } from '../layerCase.ts';
import { countReads } from '../module/countReads.ts';

/** The definition, one number at a time: h and c of every step for one sequence. */
function reference(lstm: LSTM, layer: number, steps: number[][], h: number[], c: number[]): number[][] {
  const rows = (name: string): number[][] => {
    const tensor = Reflect.get(lstm, name) as tf.Tensor | null;
    if (tensor === null) return [];
    const values = Array.from(tensor.dataSync());
    const width = values.length / (4 * h.length);
    return Array.from({ length: 4 * h.length }, (_, r) => values.slice(r * width, (r + 1) * width));
  };
  const dot = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  const σ = (x: number) => 1 / (1 + Math.exp(-x));
  const [Wx, Wh] = [rows(`weight_ih_l${layer}`), rows(`weight_hh_l${layer}`)];
  const [bx, bh] = [rows(`bias_ih_l${layer}`), rows(`bias_hh_l${layer}`)];
  return steps.map((x) => {
    const gates = Wx.map((w, r) => dot(w, x) + dot(Wh[r]!, h) + (bx[r]?.[0] ?? 0) + (bh[r]?.[0] ?? 0));
    const n = h.length;
    c = c.map((old, j) => σ(gates[n + j]!) * old + σ(gates[j]!) * Math.tanh(gates[2 * n + j]!));
    h = c.map((now, j) => σ(gates[3 * n + j]!) * Math.tanh(now));
    return h;
  });
}

describe('LSTM', () => {
  it.each(layerCases('LSTM'))(
    "has torch's output and gradients (weight normalized over dim $dim)",
    (golden) => {
      const lstm = new LSTM(3, 4);
      expectLayerCase(lstm, golden, (x) => lstm.call(x)[0]);
    },
  );

  it.each<[string, LSTMOptions]>([
    ['one layer', {}],
    ['no bias', { bias: false }],
    ['two layers', { numLayers: 2 }],
  ])('computes what its definition says: %s', (_what, options) => {
    const lstm = new LSTM(2, 3, options);
    const x = example([4, 2]);
    const values = Array.from(x.dataSync());
    let wanted = Array.from({ length: 4 }, (_, t) => values.slice(2 * t, 2 * t + 2));
    const lasts: number[][] = [];
    for (let k = 0; k < lstm.numLayers; k++) {
      wanted = reference(lstm, k, wanted, [0, 0, 0], [0, 0, 0]);
      lasts.push(wanted.at(-1)!);
    }
    const [output, [h, c]] = lstm.call(x);
    expect(output).toBeAllClose(wanted);
    expect(h).toBeAllClose(lasts);
    expect([output.shape, h.shape, c.shape]).toEqual([
      [4, 3],
      [lstm.numLayers, 3],
      [lstm.numLayers, 3],
    ]);
    tf.dispose([x, output, h, c]);
    lstm.dispose();
  });

  it('goes on from the state that it returned', () => {
    const lstm = new LSTM(2, 3, { numLayers: 2 });
    const x = example([5, 4, 2]);
    tf.tidy(() => {
      const [whole, [h, c]] = lstm.call(x);
      const [first, middle] = lstm.call(tf.slice(x, 0, 2));
      const [second, last] = lstm.call(tf.slice(x, 2, 3), middle);
      expect(tf.concat([first, second])).toBeAllClose(whole);
      expect(last[0]).toBeAllClose(h);
      expect(last[1]).toBeAllClose(c);
      expect([whole.shape, h.shape]).toEqual([
        [5, 4, 3],
        [2, 4, 3],
      ]);
    });
    x.dispose();
    lstm.dispose();
  });

  it('takes a batch first, or no batch, and computes the same', () => {
    const lstm = new LSTM(2, 3, { numLayers: 2 });
    const batchFirst = new LSTM(2, 3, { numLayers: 2, batchFirst: true });
    batchFirst.loadStateDict(lstm.stateDict());
    const x = example([5, 4, 2]);
    tf.tidy(() => {
      const state: [tf.Tensor, tf.Tensor] = [example([2, 4, 3]), example([2, 4, 3], 0.5)];
      const [wanted, [h, c]] = lstm.call(x, state);
      const [output, last] = batchFirst.call(tf.transpose(x, [1, 0, 2]), state);
      expect(tf.transpose(output, [1, 0, 2])).toBeAllClose(wanted);
      expect(last[0]).toBeAllClose(h);
      expect(last[1]).toBeAllClose(c);

      for (const [n, model] of [lstm, batchFirst].entries()) {
        const one = <T extends tf.Tensor>(tensor: T, axis: number) => tf.gather(tensor, n, axis);
        const [alone, [h1, c1]] = model.call(one(x, 1), [one(state[0], 1), one(state[1], 1)]);
        expect(alone).toBeAllClose(one(wanted, 1));
        expect(h1).toBeAllClose(one(h, 1));
        expect(c1).toBeAllClose(one(c, 1));
      }
      tf.dispose(state);
    });
    x.dispose();
    lstm.dispose();
    batchFirst.dispose();
  });

  it('can be differentiated twice by input, state and weights', () => {
    manualSeed(1);
    const lstm = new LSTM(2, 2, { numLayers: 2 });
    const [x, h, c] = [example([3, 2, 2]), example([2, 2, 2], 0.5), example([2, 2, 2])];
    expectGradients(() => {
      const [output, [hN, cN]] = lstm.call(x, [h, c]);
      return tf.concat([output, hN, cN]);
    }, [x, h, c, ...lstm.parameters()]);
    tf.dispose([x, h, c]);
    lstm.dispose();
  });

  it('reads each weight once in a forward pass, not once a step', () => {
    const lstm = new LSTM(2, 3, { numLayers: 2 });
    const parameters = lstm.parameters();
    const names = lstm.namedParameters().map(([name]) => name);
    const reads = countReads(lstm, names);
    const x = tf.ones([7, 1, 2]);
    tf.dispose([x, lstm.call(x)]);
    expect(lstm.toString()).toBe('LSTM(2, 3, numLayers=2)');
    expect(reads).toEqual(Object.fromEntries(names.map((name) => [name, 1])));
    tf.dispose(parameters);
  });

  it("has torch's keys in torch's order and torch's shapes", () => {
    const [two, plain] = [new LSTM(2, 3, { numLayers: 2 }), new LSTM(2, 3, { bias: false })];
    expect(Object.entries(two.stateDict()).map(([key, { shape }]) => `${key} ${shape}`)).toEqual([
      'weight_ih_l0 12,2',
      'weight_hh_l0 12,3',
      'bias_ih_l0 12',
      'bias_hh_l0 12',
      'weight_ih_l1 12,3',
      'weight_hh_l1 12,3',
      'bias_ih_l1 12',
      'bias_hh_l1 12',
    ]);
    expect(Object.keys(plain.stateDict())).toEqual(['weight_ih_l0', 'weight_hh_l0']);
    two.dispose();
    plain.dispose();
  });

  it("begins with torch's uniform distribution", () => {
    manualSeed(0);
    const lstm = new LSTM(2, 25);
    for (const parameter of lstm.parameters()) {
      const { min, max } = statistics(parameter);
      expect([min, max]).toBeAllClose([-0.2, 0.2], { absolute: 0.02 });
      expect(Math.max(-min, max)).toBeLessThanOrEqual(Math.fround(0.2));
    }
    lstm.dispose();
  });

  it('prints its options as torch does', () => {
    const lstm = new LSTM(2, 3, { bias: false, batchFirst: true });
    expect(lstm.toString()).toBe('LSTM(2, 3, bias=false, batchFirst=true)');
    lstm.dispose();
  });

  it.each([
    ['a wrong last axis', [4, 2, 3], undefined, 'the input has shape [4, 2, 3], inputSize is 2'],
    ['a wrong rank', [2], undefined, 'Pass an input of shape [time, batch, inputSize], or [time, inputSize]'],
    ['no steps', [0, 4, 2], undefined, 'has shape [0, 4, 2], no steps'],
    ['a state without a batch', [4, 5, 2], [1, 3], 'the state h has shape [1, 3], the input needs [1, 5, 3]'],
    [
      'a state of another batch',
      [4, 5, 2],
      [1, 4, 3],
      'the state h has shape [1, 4, 3], the input needs [1, 5, 3]',
    ],
    ['a state with a batch', [4, 2], [1, 5, 3], 'the state h has shape [1, 5, 3], the input needs [1, 3]'],
  ])('refuses %s', (_what, shape, state, message) => {
    const lstm = new LSTM(2, 3);
    const x = tf.zeros(shape);
    const h = state && tf.zeros(state);
    expect(() => (h ? lstm.call(x, [h, h]) : lstm.call(x))).toThrow(
      expect.objectContaining({ code: 'SHAPE', message: expect.stringContaining(message) }),
    );
    tf.dispose([x, h ?? []]);
    lstm.dispose();
  });

  it('refuses options that it does not have', () => {
    const make = (options: object) => () => new LSTM(2, 3, options as LSTMOptions);
    expect(make({ numlayers: 2 })).toThrow("'numlayers' is not an option. Did you mean 'numLayers'?");
    expect(make({ projSize: 2 })).toThrow(expect.objectContaining({ code: 'OPTION' }));
    expect(make({ numLayers: 0 })).toThrow('numLayers is 0');
    expect(() => new LSTM(2, -3)).toThrow('hiddenSize is -3');
  });
});
