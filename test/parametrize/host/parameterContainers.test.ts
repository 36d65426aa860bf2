import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { ParameterDict, ParameterList, parameter } from '../../../src/nn/index.ts';
import { weightNorm } from '../../../src/parametrizations/weightNorm.ts';
import { isParametrized } from '../../../src/parametrize/verbs/isParametrized.ts';
import { registerParametrization } from '../../../src/parametrize/verbs/registerParametrization.ts';
import { removeParametrizations } from '../../../src/parametrize/verbs/removeParametrizations.ts';

const filled = (value: number): tf.Variable => parameter(() => tf.fill([2, 2], value));

/** A list of three with its middle one weight-normalized. */
const normalizedList = (): ParameterList =>
  weightNorm(new ParameterList([filled(1), filled(2), filled(3)]), '1');

describe('A parametrized element of a ParameterList', () => {
  it("stands at its place, with torch's keys", () => {
    const list = normalizedList();
    expect(list.length).toBe(3);
    expect([isParametrized(list, '0'), isParametrized(list, '1')]).toEqual([false, true]);
    expect(Object.keys(list.stateDict())).toEqual([
      '0',
      '2',
      'parametrizations.1.original0',
      'parametrizations.1.original1',
    ]);
    tf.tidy(() => {
      const values = [...list].map((value) => value.dataSync()[0]);
      expect(values).toBeAllClose([1, 2, 3]);
      expect(list.at(-2)).toBeAllClose(tf.fill([2, 2], 2));
      expect(list[1]!).toBeAllClose(tf.fill([2, 2], 2));
    });
    list.dispose();
  });

  it('is trained through its originals', () => {
    const list = normalizedList();
    const loss = (): tf.Scalar => tf.addN([...list].map((value) => tf.sum(tf.square(value)))) as tf.Scalar;
    const optimizer = tf.train.sgd(0.1);
    const before = tf.tidy(() => loss().dataSync()[0]!);
    tf.dispose(optimizer.minimize(loss, true, list.parameters()) ?? []);
    const after = tf.tidy(() => loss().dataSync()[0]!);
    // Each element shrinks by a fifth: a step along the norm is one along the matrix.
    expect(after / before).toBeCloseTo(0.64, 4);
    optimizer.dispose();
    list.dispose();
  });

  it('is not computed to count, to append, to find keys, to print or to read another', () => {
    const list = new ParameterList([filled(1), filled(2)]);
    let computed = 0;
    registerParametrization(list, '1', (x) => {
      computed += 1;
      return tf.mul(x, 2);
    });
    computed = 0;
    list.append(filled(3));
    expect(list.length).toBe(3);
    expect(Object.keys(list.stateDict())).toEqual(['0', '2', 'parametrizations.1.original']);
    expect(list.at(-1) === list[2]).toBe(true);
    expect(list.toString().split('\n').slice(0, 4)).toEqual([
      'ParameterList(',
      '    (0): Parameter containing: [float32 of size 2x2]',
      '    (2): Parameter containing: [float32 of size 2x2]',
      '  (parametrizations): ParametrizationDict(',
    ]);
    expect(computed).toBe(0);
    tf.dispose(list.at(1));
    expect(computed).toBe(1);
    list.dispose();
  });

  it('is assigned through the right inverse, and copied with the list', () => {
    const list = normalizedList();
    const copy = list.clone();
    tf.tidy(() => {
      list[1] = tf.fill([2, 2], 5);
      expect(list[1]!).toBeAllClose(tf.fill([2, 2], 5));
      expect(copy[1]!).toBeAllClose(tf.fill([2, 2], 2));
    });
    expect([copy.length, isParametrized(copy, '1')]).toEqual([3, true]);
    list.dispose();
    copy.append(filled(4));
    tf.tidy(() => {
      expect([...copy].map((value) => value.dataSync()[0])).toBeAllClose([1, 2, 3, 4]);
    });
    copy.dispose();
  });

  it('becomes a parameter again at its place', () => {
    const list = normalizedList();
    removeParametrizations(list, '1');
    expect(Object.keys(list.stateDict())).toEqual(['0', '1', '2']);
    expect(list[1]).toBeInstanceOf(tf.Variable);
    expect([...list].map((value) => value.dataSync()[0])).toBeAllClose([1, 2, 3]);
    list.dispose();
  });
});

describe('A parametrized element of a ParameterDict', () => {
  it("stands under its name, with torch's keys", () => {
    const dict = weightNorm(new ParameterDict({ left: filled(1), right: filled(2) }), 'left');
    expect([[...dict.keys()], dict.size, dict.has('left')]).toEqual([['left', 'right'], 2, true]);
    expect(Object.keys(dict.stateDict())).toEqual([
      'right',
      'parametrizations.left.original0',
      'parametrizations.left.original1',
    ]);
    tf.tidy(() => {
      expect(dict.get('left')!).toBeAllClose(tf.fill([2, 2], 1));
    });
    dict.dispose();
  });

  it('is neither replaced nor deleted, which would leave its originals behind', () => {
    const dict = new ParameterDict({ left: filled(1) });
    weightNorm(dict, 'left');
    const other = filled(2);
    const refusal = expect.objectContaining({
      code: 'INVALID_NAME',
      message: expect.stringContaining("'left' is parametrized and cannot be replaced or deleted"),
    });
    expect(() => dict.set('left', other)).toThrow(refusal);
    expect(() => dict.delete('left')).toThrow(refusal);
    expect(isParametrized(dict, 'left')).toBe(true);
    removeParametrizations(dict, 'left');
    const first = dict.get('left')!;
    expect(dict.set('left', other).get('left') === other).toBe(true);
    first.dispose();
    dict.dispose();
  });
});
