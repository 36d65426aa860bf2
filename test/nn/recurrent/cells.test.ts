import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { weightNorm } from '../../../src/index.ts';
import { GRU, GRUCell, LSTM, LSTMCell, RNN, RNNCell } from '../../../src/nn/index.ts';

const networks = { RNN, LSTM, GRU };
const cells = { RNN: RNNCell, LSTM: LSTMCell, GRU: GRUCell };

type Kind = keyof typeof cells;
interface AnyCell {
  call(x: tf.Tensor, state?: unknown): tf.Tensor | tf.Tensor[];
}

const kinds = Object.keys(cells) as Kind[];

describe('a cell', () => {
  it('computes over a sequence what the network of its kind does', () => {
    const programs = fc.record({
      kind: fc.constantFrom(...kinds),
      bias: fc.boolean(),
      isBatch: fc.boolean(),
      isGiven: fc.boolean(),
      relu: fc.boolean(),
      sizes: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 4 })),
    });
    fc.assert(
      fc.property(programs, ({ kind, bias, isBatch, isGiven, relu, sizes: [inputSize, hiddenSize] }) => {
        const options = {
          bias,
          ...(kind === 'RNN' && relu ? { nonlinearity: 'relu' as const } : {}),
        };
        const network = new networks[kind](inputSize, hiddenSize, options);
        const cell = new cells[kind](inputSize, hiddenSize, options);
        tf.tidy(() => {
          const state = network.stateDict();
          cell.loadStateDict(
            Object.fromEntries(
              Object.entries(state).map(([key, value]) => [key.replace('_l0', ''), value as tf.Tensor]),
            ),
          );
          const batch = isBatch ? [2] : [];
          const x = tf.randomNormal([3, ...batch, inputSize]);
          const first = Array.from({ length: kind === 'LSTM' ? 2 : 1 }, () =>
            tf.randomNormal([...batch, hiddenSize]),
          );
          const given = first.map((of) => tf.expandDims(of, 0));
          const [output] = (network as unknown as { call(...args: unknown[]): [tf.Tensor] }).call(
            x,
            ...(isGiven ? [kind === 'LSTM' ? given : given[0]] : []),
          );
          let states: unknown = isGiven ? (kind === 'LSTM' ? first : first[0]) : undefined;
          const outputs = tf.unstack(x).map((step) => {
            states = (cell as AnyCell).call(step, states);
            return (Array.isArray(states) ? states[0] : states) as tf.Tensor;
          });
          expect(tf.stack(outputs)).toBeAllClose(output);
        });
        tf.dispose([network, cell].flatMap((module) => module.parameters()));
      }),
    );
  });

  it.each(kinds)('of %s has the keys of torch, and none for biases that it lacks', (kind) => {
    const [whole, plain] = [new cells[kind](2, 3), new cells[kind](2, 3, { bias: false })];
    expect(Object.keys(whole.stateDict())).toEqual(['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh']);
    expect(Object.keys(plain.stateDict())).toEqual(['weight_ih', 'weight_hh']);
    expect([String(whole), String(plain)]).toEqual([`${kind}Cell(2, 3)`, `${kind}Cell(2, 3, bias=false)`]);
    whole.dispose();
    plain.dispose();
  });

  it('computes a parametrized weight in each step, and trains its originals', () => {
    const cell = weightNorm(new LSTMCell(2, 2), 'weight_hh');
    tf.tidy(() => {
      const x = tf.ones([1, 2]);
      const { grads } = tf.variableGrads(() => {
        const state = cell.call(x);
        return tf.sum(cell.call(x, state)[0]) as tf.Scalar;
      }, cell.parameters());
      expect(Object.values(grads)).toHaveLength(5);
      expect(Object.values(grads).every((gradient) => (gradient as unknown) !== null)).toBe(true);
    });
    cell.dispose();
  });

  it('refuses an input and a state that do not fit', () => {
    const [lstm, gru] = [new LSTMCell(2, 3), new GRUCell(2, 3)];
    tf.tidy(() => {
      const [x, h] = [tf.ones([4, 2]), tf.ones([4, 3])];
      expect(() => gru.call(tf.ones([4, 3]))).toThrow(
        'GRUCell: the input has shape [4, 3], inputSize is 2. Pass an input of shape [batch, inputSize], or [inputSize] without a batch.',
      );
      expect(() => gru.call(tf.ones([1, 4, 2]))).toThrow('[1, 4, 2]');
      expect(() => gru.call(x, tf.ones([3]))).toThrow('the state h has shape [3], the input needs [4, 3]');
      expect(() => lstm.call(x, h as never)).toThrow(/LSTMCell: the state is Tensor.*Pass \[h, c\]/);
      expect(() => lstm.call(x, [h] as never)).toThrow('an array of 1, there are 2: h, c');
      expect(() => lstm.call(x, [h, 3] as never)).toThrow('the state c is number');
    });
    lstm.dispose();
    gru.dispose();
  });

  it('refuses sizes and options before it makes a weight', () => {
    expect(() => new LSTMCell(0, 3)).toThrow('inputSize is 0');
    expect(() => new GRUCell(1, 1.5)).toThrow('hiddenSize is 1.5');
    expect(() => new GRUCell(1, 1, { biass: true } as never)).toThrow("Did you mean 'bias'?");
    expect(() => new RNNCell(1, 1, { nonlinearity: 'sin' as never })).toThrow('nonlinearity');
    const relu = new RNNCell(1, 2, { nonlinearity: 'relu' });
    expect(String(relu)).toBe('RNNCell(1, 2, nonlinearity=relu)');
    relu.dispose();
  });
});
