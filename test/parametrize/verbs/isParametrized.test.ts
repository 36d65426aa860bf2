import type * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { Module, parameter } from '../../../src/nn/index.ts';
import {
  isParametrized,
  parametrizationsOn,
  registerParametrization,
  removeParametrizations,
  typeBeforeParametrizations,
  valueOf as valueOfTensor,
} from '../../../src/parametrize/index.ts';
import { Affine, Double, inTidy, numbers, read } from '../fixtures.ts';

describe('isParametrized', () => {
  it('tells of the host and of each tensor, before, between and after (torch#3)', () => {
    const host = new Affine();
    expect([isParametrized(host), isParametrized(host, 'weight'), isParametrized(host, 'bias')]).toEqual([
      false,
      false,
      false,
    ]);
    registerParametrization(host, 'weight', new Double());
    expect([isParametrized(host), isParametrized(host, 'weight'), isParametrized(host, 'bias')]).toEqual([
      true,
      true,
      false,
    ]);
    removeParametrizations(host, 'weight');
    expect([isParametrized(host), isParametrized(host, 'weight')]).toEqual([false, false]);
    host.dispose();
  });

  it('looks at own tensors only, not at those of children or of the prototype chain', () => {
    class Parent extends Module {
      child = new Affine();
      override forward(x: tf.Tensor): tf.Tensor {
        return this.child.call(x);
      }
    }
    const parent = new Parent();
    registerParametrization(parent.child, 'weight', new Double());
    expect(isParametrized(parent)).toBe(false);
    expect(isParametrized(parent.child)).toBe(true);
    expect(isParametrized(Object.create(parent.child))).toBe(false);
    parent.dispose();
  });

  it('is false for an object with a field called parametrizations, and for names that it lacks', () => {
    const host = { parametrizations: { weight: [] }, weight: parameter(numbers(2)) };
    expect(isParametrized(host)).toBe(false);
    expect(isParametrized(host, 'weight')).toBe(false);
    for (const name of ['', '__proto__', 'constructor', 'nothing'])
      expect(isParametrized(host, name)).toBe(false);
    host.weight.dispose();
  });
});

describe('typeBeforeParametrizations', () => {
  it('is the class of the host, before and after (torch#53)', () => {
    const host = new Affine();
    expect(typeBeforeParametrizations(host)).toBe(Affine);
    registerParametrization(host, 'weight', new Double());
    expect(typeBeforeParametrizations(host)).toBe(Affine);
    expect(host).toBeInstanceOf(Affine);
    removeParametrizations(host, 'weight');
    expect(typeBeforeParametrizations(host)).toBe(Affine);
    host.dispose();
  });
});

describe('parametrizationsOn', () => {
  it('is the list that the host has, also where the host has no such property', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new Double());
    expect(parametrizationsOn(host, 'weight')).toBe(host.parametrizations!['weight']);
    host.dispose();
  });
});

describe('valueOf', () => {
  it('is the variable of a plain tensor and a read of a parametrized one', () => {
    const host = new Affine();
    expect(valueOfTensor(host, 'weight')).toBe(host.weight);
    const map = new Double();
    registerParametrization(host, 'weight', map);
    const { calls } = map;
    const before = read(host) as number[][];
    inTidy(() => expect(valueOfTensor(host, 'weight')).toBeAllClose(before));
    expect(map.calls).toBe(calls + 2);
    host.dispose();
  });
});
