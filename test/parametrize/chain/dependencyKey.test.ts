import type { Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  declaredDependencies,
  dependencyKey,
  isFresh,
} from '../../../src/parametrize/chain/dependencyKey.ts';
import {
  Parametrization,
  type ParametrizationList,
  parametrizationsOn,
  registerParametrization,
} from '../../../src/parametrize/index.ts';
import { raiseVersion } from '../../../src/parametrize/version.ts';
import { Affine, Double, inTidy, Scaled } from '../fixtures.ts';

/** Holds a module below it that may be replaced. */
class Holding extends Parametrization {
  below: Scaled | null = new Scaled();
  override forward(x: tf.Tensor): tf.Tensor {
    return this.below === null ? tf.clone(x) : (this.below.call(x) as tf.Tensor);
  }
  override isPure(): boolean {
    return true;
  }
}

describe('the key of a chain', () => {
  let host: Affine;
  let map: Holding;
  let list: ParametrizationList;
  let declared: Variable;

  beforeEach(() => {
    host = new Affine();
    map = new Holding();
    declared = tf.tidy(() => tf.variable(tf.scalar(1)));
    registerParametrization(host, 'weight', map);
    registerParametrization(host, 'weight', {
      forward: (x) => tf.mul(x, declared),
      isPure: () => true,
      dependencies: [declared],
    });
    list = parametrizationsOn(host, 'weight');
    // In training mode every read of Scaled writes its buffer.
    host.eval();
  });

  afterEach(() => {
    declared.dispose();
    host.dispose();
  });

  it('is fresh while nothing changes, however often the values are read', () => {
    const key = dependencyKey(list);
    inTidy(() => host.weight);
    inTidy(() => host.weight);
    expect(isFresh(key)).toBe(true);
  });

  const changes: Record<string, () => void> = {
    'an original is assigned': () => inTidy(() => list.original!.assign(tf.zeros([3, 3]))),
    'a parameter of a map below is assigned': () =>
      inTidy(() => (map.below!.scale as Variable).assign(tf.scalar(5))),
    'a buffer is assigned': () => inTidy(() => (map.below!.count as Variable).assign(tf.scalar(5))),
    'a declared variable is assigned': () => inTidy(() => declared.assign(tf.scalar(2))),
    'the mode changes': () => void host.train(),
    'the mode of one map changes': () => void map.below!.train(),
    'the version of a map is raised': () => raiseVersion(map),
    'the version of the list is raised': () => raiseVersion(list),
    'a hook is added': () => void map.registerForwardHook(() => undefined),
    'a module below is replaced': () => {
      map.below!.dispose();
      map.below = new Scaled();
    },
    'a module below goes': () => {
      map.below!.dispose();
      map.below = null;
    },
    'a module is added': () => {
      (map as unknown as Record<string, unknown>)['more'] = new Double();
    },
    'a further map is registered': () => void registerParametrization(host, 'weight', new Double()),
    'an original is parametrized': () => void registerParametrization(list, 'original', new Double()),
    'a tensor of a map is parametrized': () =>
      void registerParametrization(map.below!, 'scale', (x) => tf.mul(x, 2)),
  };

  it.each(Object.keys(changes))('is not fresh after %s', (name) => {
    const key = dependencyKey(list);
    changes[name]!();
    expect(isFresh(key)).toBe(false);
    expect(isFresh(dependencyKey(list))).toBe(true);
  });

  it('names what nested chains declare, each with those of its own', () => {
    const inner = tf.tidy(() => tf.variable(tf.scalar(1)));
    registerParametrization(list, 'original', { forward: (x) => tf.mul(x, inner), dependencies: [inner] });
    expect(declaredDependencies(list)).toEqual([declared, inner]);
    const key = dependencyKey(list);
    inTidy(() => inner.assign(tf.scalar(3)));
    expect(isFresh(key)).toBe(false);
    inner.dispose();
  });

  it('is not fresh after tf.disposeVariables()', () => {
    const key = dependencyKey(list);
    tf.disposeVariables();
    expect(isFresh(key)).toBe(false);
  });
});
