import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buffer, Module, ParameterDict, parameter } from '../../../src/nn/index.ts';
import { expectGradients } from '../gradientCheck.ts';

const ones = (...shape: number[]): tf.Variable => parameter(() => tf.ones(shape));

const refused = (code: string, fact: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(fact) });

describe('ParameterDict', () => {
  it('holds parameters by name', () => {
    const [a, b, c] = [ones(1), ones(2), ones(3)];
    const dict = new ParameterDict({ a });
    expect(dict.set('b', b)).toBe(dict);
    expect([...dict.keys()]).toEqual(['a', 'b']);
    expect([...dict.values()].map(({ shape }) => shape)).toEqual([[1], [2]]);
    expect([...dict.entries()].map(([name, { shape }]) => [name, shape])).toEqual([
      ['a', [1]],
      ['b', [2]],
    ]);
    expect([...dict].every(([name, value]) => dict.get(name) === value)).toBe(true);
    dict.set('a', c);
    expect(dict.get('a') === c).toBe(true);
    expect([dict.size, dict.has('b'), dict.has('c'), dict.has('training')]).toEqual([2, true, false, false]);
    expect([dict.delete('b'), dict.delete('b'), dict.get('b'), dict.size]).toEqual([
      true,
      false,
      undefined,
      1,
    ]);
    // Replaced and deleted ones are the caller's.
    expect([a.isDisposed, b.isDisposed]).toEqual([false, false]);
    tf.dispose([a, b]);
    dict.dispose();
    expect(c.isDisposed).toBe(true);
  });

  it("has torch's keys in the module that holds it, which trains and disposes its parameters", () => {
    class Sides extends Module {
      factors = new ParameterDict([
        ['left', ones(2)],
        ['right', ones(2)],
      ]);
      forward(x: tf.Tensor, side: string): tf.Tensor {
        return tf.mul(x, this.factors.get(side)!);
      }
    }
    const module = new Sides();
    expect(Object.keys(module.stateDict())).toEqual(['factors.left', 'factors.right']);
    const x = parameter(() => tf.tensor2d([[1, 2]]));
    expectGradients(() => module.call(x, 'right'), [x, ...module.parameters()]);
    x.dispose();
    module.dispose();
  });

  it('makes independent copies', () => {
    const dict = new ParameterDict({ a: ones(2) });
    const copy = dict.clone();
    copy.set('b', ones(1));
    tf.tidy(() => (copy.get('a') as tf.Variable).assign(tf.zeros([2])));
    expect([dict.size, copy.size]).toEqual([1, 2]);
    expect(dict.get('a')!).toBeAllClose([1, 1]);
    dict.dispose();
    expect(copy.get('a')!).toBeAllClose([0, 0]);
    copy.dispose();
  });

  it('takes every name that can be a key and is not a property already', () => {
    const name = fc
      .string({ unit: 'binary', minLength: 1 })
      .filter((s) => !s.includes('.') && !(s in new ParameterDict()));
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 5 }), (names) => {
        const parameters = new Map(names.map((key) => [key, ones(1)]));
        const dict = new ParameterDict([...parameters]);
        expect(new Set(dict.keys())).toEqual(new Set(names));
        for (const [key, value] of parameters) expect(dict.get(key) === value).toBe(true);
        dict.dispose();
      }),
    );
  });

  it.each([
    ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'],
    ...['forward', 'train', 'get', 'set', 'keys', 'training', 'parametrizations', 'call', 'size'],
  ])("refuses the name '%s', which is a property already", (name) => {
    const dict = new ParameterDict();
    const value = ones(1);
    expect(() => dict.set(name, value)).toThrow(
      refused('INVALID_NAME', `'${name}' cannot be the name of a parameter: a ParameterDict has a property`),
    );
    expect([dict.has(name), dict.get(name), dict.delete(name), dict.size]).toEqual([
      false,
      undefined,
      false,
      0,
    ]);
    value.dispose();
  });

  it.each(['', 'a.b', '.'])("refuses the name '%s', which cannot be part of a key", (name) => {
    const value = ones(1);
    expect(() => new ParameterDict([[name, value]])).toThrow(refused('INVALID_NAME', 'joined by dots'));
    value.dispose();
  });

  it('refuses what is no parameter', () => {
    const [tensor, statistic] = [tf.ones([1]), buffer(() => tf.ones([1]))];
    const dict = new ParameterDict();
    expect(() => dict.set('a', tensor)).toThrow(refused('NOT_A_VARIABLE', "ParameterDict: 'a' is Tensor"));
    expect(() => dict.set('a', statistic)).toThrow(refused('OPTION', "'a' is a buffer"));
    expect(() => new ParameterDict(statistic as never)).toThrow(
      refused(
        'OPTION',
        'parameters by name are an object or an array of [name, parameter] pairs, got Variable',
      ),
    );
    expect(() => new ParameterDict([statistic] as never)).toThrow(refused('OPTION', 'a ParameterList takes'));
    expect(() => new ParameterDict(new Map([['a', statistic]]) as never)).toThrow(
      refused('OPTION', 'got Map'),
    );
    expect(dict.size).toBe(0);
    tf.dispose([tensor, statistic]);
  });

  it('prints as torch does, and computes nothing itself', () => {
    const dict = new ParameterDict({ b: ones(2, 3), a: ones(4) });
    expect(dict.toString()).toBe(
      'ParameterDict(\n    (b): Parameter containing: [float32 of size 2x3]\n    (a): Parameter containing: [float32 of size 4]\n)',
    );
    expect(() => dict.call()).toThrow(
      refused('NOT_A_FUNCTION', "Use the parameters in it: dict.get('name')"),
    );
    dict.dispose();
  });
});
