import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { currentTape } from '../../../src/engine/tape.ts';
import { nn, unitNorm, weightNorm } from '../../../src/index.ts';
import { enterScope, leaveScope } from '../../../src/parametrize/chain/cacheScope.ts';
import type { DependencyKey } from '../../../src/parametrize/chain/dependencyKey.ts';
import { EvaluationCache, mayKeep } from '../../../src/parametrize/chain/evaluationCache.ts';
import { versionEpoch } from '../../../src/parametrize/version.ts';

// The cache by itself: it gets a value and the key of what the value depends on, and knows no chain.
describe('an EvaluationCache', () => {
  let source: tf.Variable;
  let cache: EvaluationCache;
  const key = (): DependencyKey => ({
    variables: [source],
    dataIds: [source.dataId],
    fields: null,
    modules: [],
    trainings: [],
    versions: [],
    epoch: versionEpoch(),
  });
  const change = (): void => tf.tidy(() => source.assign(tf.scalar(2)));

  beforeEach(() => {
    source = tf.tidy(() => tf.variable(tf.scalar(1)));
    cache = new EvaluationCache('Source.x');
  });

  afterEach(() => {
    cache.clear();
    source.dispose();
  });

  it('has nothing at first', () => {
    expect(cache.find(null)).toBe(null);
  });

  it('hands a borrowed value to every reader outside of a tidy until the key is stale', () => {
    const value = tf.scalar(3);
    cache.store(value, key(), true, null);
    expect([cache.find(null), cache.find(null)]).toEqual([value, value]);
    change();
    expect(cache.find(null)).toBe(null);
    const next = tf.scalar(4);
    cache.store(next, key(), true, null);
    expect([value.isDisposed, cache.find(null) === next]).toEqual([true, true]);
  });

  it('tells who uses an ended value why it is gone', () => {
    const value = tf.scalar(3);
    cache.store(value, key(), true, null);
    cache.clear();
    expect(() => value.dataSync()).toThrow('using a value of Source.x: it was borrowed');
  });

  it('hands an alias to a reader in a tidy, which the tidy may dispose', () => {
    const value = tf.scalar(3);
    cache.store(value, key(), true, null);
    const alias = tf.tidy(() => {
      const found = cache.find(null)!;
      expect(found).not.toBe(value);
      expect(cache.find(null)).toBe(found);
      expect(found.dataId).toBe(value.dataId);
      return found.id;
    });
    expect(alias).not.toBe(value.id);
    expect(cache.find(null)).toBe(value);
  });

  it('keeps a value of a tidy as data, without a tensor', () => {
    const { numTensors } = tf.memory();
    tf.tidy(() => cache.store(tf.scalar(3), key(), true, null));
    expect(tf.memory().numTensors).toBe(numTensors);
    expect(cache.find(null)!.dataSync()[0]).toBe(3);
    expect(tf.memory().numTensors).toBe(numTensors + 1);
  });

  it('serves a value of one tape on that tape alone', () => {
    const loss = (): tf.Scalar => {
      const tape = currentTape();
      const found = cache.find(tape);
      expect(found).toBe(null);
      const value = tf.square(source) as tf.Scalar;
      cache.store(value, key(), true, tape);
      expect(cache.find(tape)).toBe(value);
      return value;
    };
    for (let i = 0; i < 2; i++) tf.tidy(() => void tf.variableGrads(loss, [source]));
    expect(cache.find(null)).toBe(null);
  });

  it('serves no value of a tidy on a tape that has not recorded it', () => {
    tf.tidy(() => {
      cache.store(tf.scalar(3), key(), true, null);
      expect(cache.find(null)).not.toBe(null);
      const loss = (): tf.Scalar => {
        expect(cache.find(currentTape())).toBe(null);
        return tf.square(source) as tf.Scalar;
      };
      tf.variableGrads(loss, [source]);
    });
  });

  it('keeps a value that is not pure while a cache scope is open, and not longer', () => {
    expect([mayKeep(true), mayKeep(false)]).toEqual([true, false]);
    enterScope();
    expect(mayKeep(false)).toBe(true);
    const value = tf.scalar(3);
    cache.store(value, key(), false, null);
    expect(cache.find(null)).toBe(value);
    leaveScope([]);
    expect([cache.find(null), value.isDisposed]).toEqual([null, true]);
  });

  it('keeps nothing in the forward of a customGrad', () => {
    tf.tidy(() => {
      tf.customGrad((x) => {
        expect(mayKeep(true)).toBe(false);
        return { value: tf.clone(x as tf.Tensor), gradFunc: (dy) => dy };
      })(source as tf.Tensor);
    });
  });
});

it('a training loop makes and reads no weak references, which would keep every step until its task ends', () => {
  const model = new nn.Sequential(
    weightNorm(new nn.Linear(2, 3)),
    new nn.ReLU(),
    unitNorm(new nn.Linear(3, 1)),
  );
  const optimizer = tf.train.momentum(0.01, 0.9);
  const x = tf.ones([4, 2]);
  const step = (): void => {
    optimizer.minimize(
      () => tf.sum(tf.square(model.call(x))) as tf.Scalar,
      false,
      model.parameters() as tf.Variable[],
    );
    tf.tidy(() => void model.call(x));
  };
  step();
  const Plain = WeakRef;
  const used = { made: 0, read: 0 };
  class Counting<T extends WeakKey> extends Plain<T> {
    constructor(target: T) {
      super(target);
      used.made++;
    }
  }
  vi.stubGlobal('WeakRef', Counting);
  const deref = vi.spyOn(Plain.prototype, 'deref').mockImplementation(function (this: WeakRef<WeakKey>) {
    used.read++;
    return undefined;
  });
  try {
    for (let i = 0; i < 3; i++) step();
    expect(used).toEqual({ made: 0, read: 0 });
  } finally {
    deref.mockRestore();
    vi.unstubAllGlobals();
  }
  optimizer.dispose();
  (optimizer as unknown as { c: tf.Tensor }).c.dispose();
  x.dispose();
  model.dispose();
});
