import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { clone, nn, parametrizationsOn, removeParametrizations } from '../../src/index.ts';
import { type Hooked, removeSpectralNorm, spectralNorm } from '../../src/legacy/index.ts';
import { expectGradients } from '../nn/gradientCheck.ts';
import { singularValues, spectralDefinition } from '../parametrizations/spectralDefinition.ts';
import { inTidy, numbers, read, variableOf } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';
import { fieldOf, keysOf, outputOf, stateOf, write } from './fixtures.ts';

type Layer = Hooked<nn.Linear, 'weight', '_orig' | '_u' | '_v'>;

/** A layer whose vectors do not fit its weight any more, so that every iteration moves them. */
function movable(): Layer {
  nn.manualSeed(9);
  const layer = spectralNorm(new nn.Linear(4, 3));
  write(layer.weight_orig, numbers(3, 4));
  return layer;
}

const vectorsOf = (layer: Layer): { u: number[]; v: number[] } => ({
  u: flatten(layer.weight_u),
  v: flatten(layer.weight_v),
});

const reference = spectralDefinition([3, 4], 0);

describe('legacy.spectralNorm', () => {
  it('has weight_orig as parameter, weight_u and weight_v as buffers, and is removed again (torch#99)', () => {
    const layer = new nn.Linear(4, 3);
    const variable = variableOf(layer);
    const normed = spectralNorm(layer);
    expect(normed).toBe(layer);
    expect(keysOf(layer)).toEqual(['bias', 'weight_orig', 'weight_u', 'weight_v']);
    expect(normed.weight_orig).toBe(variable);
    expect(layer.parameters()).toEqual([layer.bias, variable]);
    expect(layer.buffers()).toEqual([normed.weight_u, normed.weight_v]);
    expect('parametrizations' in layer).toBe(false);
    const { weight_u, weight_v } = normed;
    const value = read(layer);
    expect(removeSpectralNorm(layer)).toBe(layer);
    expect(layer.weight).toBe(variable);
    expect(read(layer)).toEqual(value);
    expect(keysOf(layer)).toEqual(['weight', 'bias']);
    expect([weight_u.isDisposed, weight_v.isDisposed]).toEqual([true, true]);
    outputOf(layer);
    layer.dispose();
  });

  it('is normalized from the start, where torch is not before the first forward', () => {
    nn.manualSeed(1);
    const layer = spectralNorm(new nn.Linear(4, 3));
    expect(singularValues(read(layer) as number[][])[0]).toBeCloseTo(1, 2);
    layer.dispose();
  });

  it('iterates once before each training forward, v first, and in no read (torch#100)', () => {
    const layer = movable();
    const W = flatten(layer.weight_orig);
    let { u, v } = vectorsOf(layer);
    for (let pass = 0; pass < 3; pass++) {
      ({ u, v } = reference.step(W, u, v, 'v'));
      outputOf(layer);
      for (let i = 0; i < 2; i++) {
        expect(flatten(layer.weight)).toBeAllClose(reference.value(W, u, v), { relative: 1e-4 });
      }
      expect(vectorsOf(layer).u).toBeAllClose(u, { relative: 1e-4 });
      expect(vectorsOf(layer).v).toBeAllClose(v, { relative: 1e-4 });
    }
    layer.dispose();
  });

  it('iterates nPowerIterations times', () => {
    nn.manualSeed(9);
    const layer = spectralNorm(new nn.Linear(4, 3), 'weight', { nPowerIterations: 3 });
    write(layer.weight_orig, numbers(3, 4));
    const W = flatten(layer.weight_orig);
    let { u, v } = vectorsOf(layer);
    for (let i = 0; i < 3; i++) ({ u, v } = reference.step(W, u, v, 'v'));
    outputOf(layer);
    expect(vectorsOf(layer).u).toBeAllClose(u, { relative: 1e-4 });
    layer.dispose();
  });

  it('gives in eval mode what the last training forward gave, and does not iterate (torch#100, torch#69)', () => {
    const layer = movable();
    outputOf(layer);
    const trained = outputOf(layer);
    const vectors = vectorsOf(layer);
    layer.eval();
    for (let i = 0; i < 3; i++) expect(outputOf(layer)).toEqual(trained);
    expect(vectorsOf(layer)).toEqual(vectors);
    layer.dispose();
  });

  it.each(['train', 'eval'])('keeps the value at removal in %s mode (torch#100, torch#67)', (mode) => {
    const layer = movable();
    outputOf(layer);
    layer.train(mode === 'train');
    const before = flatten(layer.weight);
    removeSpectralNorm(layer);
    expect(flatten(layer.weight)).toEqual(before);
    layer.dispose();
  });

  it('gives the same outputs when registered again and loaded; loads loosely (torch#100, torch#74, torch#75)', () => {
    const layer = movable();
    const outputs = (): number[][] =>
      [false, true, true, false].map((training) => outputOf(layer.train(training)));
    const state = Object.fromEntries(
      Object.entries(layer.stateDict()).map(([key, variable]) => [key, tf.clone(variable)]),
    );
    const wanted = outputs();
    removeSpectralNorm(layer);
    spectralNorm(layer);
    layer.loadStateDict(state);
    expect(outputs()).toEqual(wanted);
    const nonsense = tf.zeros([1]);
    expect(() => layer.loadStateDict({ ...state, nonsense })).toThrow(/nonsense/);
    for (const key of Object.keys(state)) {
      const { [key]: _, ...rest } = state;
      expect(() => layer.loadStateDict(rest), key).toThrow(key);
      expect(layer.loadStateDict(rest, { strict: false }).missingKeys).toEqual([key]);
    }
    tf.dispose([state, nonsense]);
    layer.dispose();
  });

  it('takes the output channels of a transposed convolution as rows (torch#100, torch#76)', () => {
    const layer = spectralNorm(new nn.ConvTranspose2d(3, 5, 2));
    expect([layer.weight_u.shape, layer.weight_v.shape]).toEqual([[5], [12]]);
    layer.dispose();
    const other = spectralNorm(new nn.ConvTranspose2d(3, 5, 2), 'weight', { dim: 0 });
    expect(other.weight_u.shape).toEqual([3]);
    other.dispose();
  });

  it('has vectors of a vector too, under bias_u and bias_v, as torch', () => {
    const layer = spectralNorm(new nn.Linear(4, 3), 'bias');
    expect(keysOf(layer)).toEqual(['weight', 'bias_orig', 'bias_u', 'bias_v']);
    expect([layer.bias_u.shape, layer.bias_v.shape]).toEqual([[3], [1]]);
    write(layer.bias_orig, () => tf.tensor1d([2, -3, 6]));
    outputOf(layer);
    expect(layer.bias!).toBeAllClose([2 / 7, -3 / 7, 6 / 7]);
    layer.dispose();
  });

  it('keeps a frozen weight frozen, and iterates all the same (T15)', () => {
    const layer = new nn.Linear(4, 3);
    variableOf(layer).trainable = false;
    const normed = spectralNorm(layer);
    expect(normed.weight_orig.trainable).toBe(false);
    write(normed.weight_orig, numbers(3, 4));
    const before = vectorsOf(normed);
    outputOf(layer);
    expect(vectorsOf(normed)).not.toEqual(before);
    layer.dispose();
  });

  it('reads what was written to weight_orig before the next forward (T16)', () => {
    const layer = movable();
    const before = flatten(layer.weight);
    write(layer.weight_orig, () => tf.neg(layer.weight_orig));
    expect(layer.weight).toBeAllClose(before);
    write(layer.weight_u, () => tf.neg(layer.weight_u));
    expect(layer.weight).toBeAllClose(before.map((element) => -element));
    layer.dispose();
  });

  it('iterates on a clone by its own hook, on its own vectors (T18)', () => {
    const layer = movable();
    outputOf(layer);
    const copy = clone(layer);
    const before = stateOf(layer);
    expect(stateOf(copy)).toEqual(before);
    outputOf(copy);
    expect(stateOf(layer)).toEqual(before);
    outputOf(layer);
    expect(stateOf(layer)).toEqual(stateOf(copy));
    removeSpectralNorm(copy);
    outputOf(copy);
    const moved = vectorsOf(layer);
    outputOf(layer);
    expect(vectorsOf(layer)).not.toEqual(moved);
    copy.dispose();
    layer.dispose();
  });

  it('assigns through the accessor: the original is the value, the vectors follow it', () => {
    const layer = movable();
    const value = tf.tensor2d([2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0.5, 0], [3, 4]);
    layer.weight = value;
    expect(layer.weight_orig).toBeAllClose(value);
    expect(singularValues(read(layer) as number[][])[0]).toBeCloseTo(1, 3);
    value.dispose();
    layer.dispose();
  });

  it.each(['LSTM', 'GRU', 'RNN'] as const)(
    'iterates once and evaluates once for a forward of a %s',
    (type) => {
      nn.manualSeed(2);
      const network = new nn[type](3, 4);
      const name = 'weight_hh_l0';
      spectralNorm(network as nn.LSTM, name);
      const list = parametrizationsOn(network, name);
      write(list.original!, numbers(...(list.shape as [number, number])));
      const shaped = spectralDefinition([...list.shape], 0);
      const sequence = tf.ones([5, 2, 3]) as tf.Tensor3D;
      const run = (): tf.Tensor => (network as nn.LSTM).call(sequence)[0];
      for (const pass of [
        () => inTidy(() => void run()),
        () => inTidy(() => void tf.variableGrads(() => tf.sum(run()) as tf.Scalar)),
      ]) {
        const { evaluations } = list;
        const [u, v] = ['_u', '_v'].map((suffix) => flatten(fieldOf(network, name + suffix)));
        const wanted = shaped.step(flatten(list.original!), u!, v!, 'v');
        pass();
        expect(list.evaluations).toBe(evaluations + 1);
        expect(fieldOf(network, `${name}_u`)).toBeAllClose(wanted.u, { relative: 1e-4 });
      }
      sequence.dispose();
      removeParametrizations(network, name);
      network.dispose();
    },
  );

  it('has the gradients of W / uᵀMv, twice, with u and v constant', () => {
    const layer = movable().eval();
    const x = tf.ones([2, 4]);
    inTidy(() => expectGradients(() => layer.call(x), [layer.weight_orig]));
    x.dispose();
    layer.dispose();
  });

  it('has the right gradient through two forwards in one graph, between which the vectors move (torch#66)', () => {
    const layer = movable();
    const W = flatten(layer.weight_orig);
    const dY = Array.from({ length: 12 }, (_, i) => Math.cos(i));
    inTidy(() => {
      const weights = tf.tensor2d(dY, [3, 4]);
      const identity = tf.eye(4);
      let { u, v } = vectorsOf(layer);
      const wanted = new Array<number>(12).fill(0);
      const { grads } = tf.variableGrads(() => {
        const terms = [1, 2].map((factor) => {
          const y = tf.sub(layer.call(identity), layer.bias!);
          ({ u, v } = vectorsOf(layer));
          const scaled = dY.map((element) => element * factor);
          reference.gradient(W, u, v, scaled).forEach((element, i) => {
            wanted[i]! += element;
          });
          return tf.mul(factor, tf.sum(tf.mul(tf.transpose(y), weights)));
        });
        return tf.addN(terms) as tf.Scalar;
      }, [layer.weight_orig]);
      expect(flatten(grads[layer.weight_orig.name]!)).toBeAllClose(wanted, {
        relative: 1e-4,
        absolute: 1e-4,
      });
    });
    layer.dispose();
  });
});
