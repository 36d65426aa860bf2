import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buffer, Identity, Module, ParameterList, parameter, Sequential } from '../../../src/nn/index.ts';
import { expectGradients } from '../gradientCheck.ts';

const ones = (...shape: number[]): tf.Variable => parameter(() => tf.ones(shape));

const refused = (code: string, fact: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(fact) });

class Scales extends Module {
  factors = new ParameterList([ones(2), ones(2)]);
  bias: tf.Tensor = ones(2);

  forward(x: tf.Tensor): tf.Tensor {
    let y = x;
    for (const factor of this.factors) y = tf.mul(y, factor);
    return tf.add(y, this.bias);
  }
}

describe('ParameterList', () => {
  it('keeps any number of parameters in order, by index, at(), iteration and length', () => {
    fc.assert(
      fc.property(fc.nat(12), fc.nat(12), (first, second) => {
        const parameters = Array.from({ length: first + second }, () => ones(1));
        const list = new ParameterList(parameters.slice(0, first));
        expect(list.extend(new Set(parameters.slice(first)))).toBe(list);
        expect([...list].every((value, i) => value === parameters[i])).toBe(true);
        expect(list.length).toBe(parameters.length);
        parameters.forEach((value, i) => {
          expect(list[i] === value && list.at(i) === value).toBe(true);
          expect(list.at(i - parameters.length) === value).toBe(true);
        });
        expect(list.parameters().length).toBe(parameters.length);
        expect(Object.keys(list.stateDict())).toEqual(parameters.map((_, i) => String(i)));
        expect(() => list.at(parameters.length)).toThrow(
          refused(
            'OPTION',
            `the index is ${parameters.length}, and the container has ${parameters.length} parameters`,
          ),
        );
        expect(() => list.at(0.5)).toThrow(refused('OPTION', 'the index is 0.5'));
        list.dispose();
      }),
    );
  });

  it("has torch's keys in the module that holds it, which trains and disposes its parameters", () => {
    const module = new Scales();
    expect(Object.keys(module.stateDict())).toEqual(['bias', 'factors.0', 'factors.1']);
    const x = parameter(() => tf.tensor2d([[1, 2]]));
    expectGradients(() => module.call(x), [x, ...module.parameters()]);
    x.dispose();
    module.dispose();
  });

  it('appends, holds a parameter twice, and takes another at an index', () => {
    const [a, b] = [ones(1), ones(2)];
    const list = new ParameterList();
    expect(list.append(a).append(a)).toBe(list);
    list[1] = b;
    list.append(a);
    expect(list.namedParameters().map(([name]) => name)).toEqual(['0', '1']);
    expect(Object.keys(list.stateDict())).toEqual(['0', '1', '2']);
    expect(list.at(-1) === a && list[1] === b).toBe(true);
    list.dispose();
  });

  it('adds its own parameters once more, not without end', () => {
    const list = new ParameterList([ones(1), ones(2)]);
    expect(list.extend(list).length).toBe(4);
    expect(list.parameters().length).toBe(2);
    list.dispose();
  });

  it('makes independent copies, in which one parameter twice is one parameter twice', () => {
    const shared = ones(2);
    const list = new ParameterList([shared, ones(3), shared]);
    const copy = list.clone();
    expect(copy).toBeInstanceOf(ParameterList);
    expect(copy[0] === copy[2] && copy[0] !== list[0] && copy[1] !== list[1]).toBe(true);
    tf.tidy(() => (copy[0] as tf.Variable).assign(tf.zeros([2])));
    copy.append(ones(1));
    expect([copy.length, list.length]).toEqual([4, 3]);
    expect(list[0]!).toBeAllClose([1, 1]);
    list.dispose();
    expect(copy[1]!).toBeAllClose([1, 1, 1]);
    copy.dispose();
  });

  it('prints as torch does', () => {
    const list = new ParameterList([ones(2, 3), ones(4), ones()]);
    const lines = [
      '  (0): Parameter containing: [float32 of size 2x3]',
      '  (1): Parameter containing: [float32 of size 4]',
      '  (2): Parameter containing: [float32 of size ]',
    ];
    expect(list.toString()).toBe(`ParameterList(\n${lines.map((line) => `  ${line}`).join('\n')}\n)`);
    expect(new Sequential(list).toString()).toBe(
      `Sequential(\n  (0): ParameterList(\n${lines.map((line) => `    ${line}`).join('\n')}\n  )\n)`,
    );
    const one = new ParameterList([ones(2)]);
    expect(one.toString()).toBe('ParameterList(  (0): Parameter containing: [float32 of size 2])');
    expect(new ParameterList().toString()).toBe('ParameterList()');
    list.dispose();
    one.dispose();
  });

  it('computes nothing itself', () => {
    expect(() => new ParameterList().call()).toThrow(
      refused('NOT_A_FUNCTION', 'call: a ParameterList holds parameters and computes nothing. Use'),
    );
  });

  it('refuses what is no parameter, and then takes none', () => {
    const [list, fine, tensor, statistic, gone] = [
      new ParameterList([ones(1)]),
      ones(1),
      tf.ones([1]),
      buffer(() => tf.ones([1])),
      ones(2),
    ];
    gone.dispose();
    const extend = (value: unknown) => () => list.extend([fine, value as tf.Tensor]);
    expect(extend(tensor)).toThrow(refused('NOT_A_VARIABLE', "ParameterList: '2' is Tensor, it must be"));
    expect(extend(3)).toThrow(refused('NOT_A_VARIABLE', "'2' is number"));
    expect(extend(gone)).toThrow(refused('DISPOSED', "'2', of shape [2], has been disposed"));
    expect(extend(statistic)).toThrow(refused('OPTION', "'2' is a buffer"));
    expect(() => list.append(new Identity() as never)).toThrow(refused('NOT_A_VARIABLE', "'1' is Identity"));
    expect(() => new ParameterList(fine as never)).toThrow(
      refused('OPTION', 'the parameters are Variable, they must be an array or another iterable'),
    );
    expect(() => new ParameterList(null as never)).toThrow(refused('OPTION', 'the parameters are null'));
    expect(list.length).toBe(1);
    tf.dispose([fine, tensor, statistic]);
    list.dispose();
  });
});
