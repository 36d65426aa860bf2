import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import {
  describe as describeModel,
  fold,
  nn,
  registerParametrization,
  removeParametrizations,
  weightNorm,
} from '../../../src/index.ts';
import { flatten } from '../../toBeAllClose.ts';

class Scale extends nn.Module {
  weight: tf.Tensor = nn.parameter(tf.tensor1d([1, 2]));
  offset: tf.Tensor = nn.buffer(tf.tensor1d([0, 0]));
  bias: tf.Tensor | null = null;

  forward(x: tf.Tensor): tf.Tensor {
    return tf.add(tf.mul(x, this.weight), this.offset);
  }
}

type Holder = readonly [module: nn.Module, name: string];

const holders: Record<string, () => Holder> = {
  'a parameter': () => [new Scale(), 'weight'],
  'a buffer': () => [new Scale(), 'offset'],
  'a parameter of a layer': () => [new nn.Linear(2, 3), 'weight'],
  'an element of a list': () => [new nn.ParameterList([nn.parameter(tf.ones([2]))]), '0'],
  'an element of a dictionary': () => [new nn.ParameterDict({ a: nn.parameter(tf.ones([2])) }), 'a'],
};

const histories: Record<string, (module: nn.Module, name: string) => nn.Module> = {
  'after a use': (module) => {
    module.parameters();
    return module;
  },
  'after it was folded': (module, name) => {
    registerParametrization(module, name, (x: tf.Tensor) => tf.mul(x, 1));
    fold(module);
    return module;
  },
  'after a removal': (module, name) => {
    registerParametrization(module, name, (x: tf.Tensor) => tf.mul(x, 1));
    removeParametrizations(module, name, { leaveParametrized: false });
    return module;
  },
  'of a copy': (module) => {
    const copy = module.clone();
    copy.parameters();
    module.dispose();
    return copy;
  },
};

const field = (module: nn.Module, name: string): tf.Tensor => Reflect.get(module, name) as tf.Tensor;

describe.each(Object.entries(holders))('assigning a tensor to %s', (_holder, make) => {
  it.each(Object.entries(histories))('copies it into the variable, %s', (_history, live) => {
    const [made, name] = make();
    const module = live(made, name);
    const variable = field(module, name);
    expect(variable).toBeInstanceOf(tf.Variable);
    const keys = Object.keys(module);
    const value = tf.fill(variable.shape, 7);
    Reflect.set(module, name, value);
    expect(Object.values(module.stateDict())).toContain(variable);
    expect(field(module, name)).toBe(variable);
    expect(Object.keys(module)).toEqual(keys);
    expect(value.isDisposed, 'it stays the caller’s').toBe(false);
    value.dispose();
    expect(flatten(variable)).toEqual(new Array(variable.size).fill(7));
    module.dispose();
  });

  it('is refused by the next use if shape or dtype differ or it was disposed, and changes nothing', () => {
    const [module, name] = make();
    module.parameters();
    const variable = field(module, name);
    const before = flatten(variable);
    const gone = tf.zeros(variable.shape);
    gone.dispose();
    for (const [code, value] of [
      ['SHAPE', tf.zeros([5])],
      ['DTYPE', tf.zeros(variable.shape, 'int32')],
      ['DISPOSED', gone],
    ] as const) {
      Reflect.set(module, name, value);
      expect(() => module.parameters()).toThrow(expect.objectContaining({ code }));
      expect(field(module, name)).toBe(variable);
      expect(flatten(variable)).toEqual(before);
      value.dispose();
    }
    module.dispose();
  });

  it('before any use is refused by the next use, whichever that is', () => {
    const uses: Record<string, (module: nn.Module, name: string) => unknown> = {
      call: (module) => module.call(tf.ones([2])),
      parameters: (module) => module.parameters(),
      stateDict: (module) => module.stateDict(),
      train: (module) => module.train(),
      clone: (module) => module.clone(),
      fold: (module) => fold(module),
      describe: (module) => describeModel(module),
      registerParametrization: (module, name) => registerParametrization(module, name, (x) => x),
    };
    for (const [use, run] of Object.entries(uses)) {
      const [module, name] = make();
      const variable = field(module, name);
      if (module instanceof nn.ParameterList || module instanceof nn.ParameterDict) {
        module.dispose();
        continue;
      }
      const value = tf.zeros(variable.shape);
      Reflect.set(module, name, value);
      tf.tidy(() => {
        expect(() => run(module, name), use).toThrow(expect.objectContaining({ code: 'NOT_A_VARIABLE' }));
      });
      Reflect.set(module, name, variable);
      expect(module.modules()).toContain(module);
      value.dispose();
      module.dispose();
    }
  });
});

describe('a field with a variable', () => {
  it('takes another variable, and null, as it is', () => {
    const scale = new Scale();
    const [old] = scale.parameters();
    scale.weight = nn.parameter(tf.tensor1d([3, 4, 5]));
    expect(scale.parameters()).toEqual([scale.weight]);
    const { weight } = scale;
    (scale as { weight: tf.Tensor | null }).weight = null;
    expect([scale.weight, scale.parameters(), Object.keys(scale)]).toEqual([
      null,
      [],
      ['training', 'weight', 'offset', 'bias'],
    ]);
    scale.weight = old!;
    expect(scale.parameters()).toEqual([old]);
    weight.dispose();
    scale.dispose();
  });

  it('is trained after an assignment, folded or not', () => {
    const layer = weightNorm(new nn.Linear(2, 2));
    const optimizer = tf.train.sgd(0.1);
    const x = tf.ones([1, 2]);
    for (const change of [() => {}, () => void fold(layer)]) {
      change();
      const value = tf.tensor2d([1, 2, 3, 4], [2, 2]);
      layer.weight = value;
      layer.parameters();
      value.dispose();
      const before = tf.tidy(() => flatten(layer.weight));
      expect(before.map(Math.round)).toEqual([1, 2, 3, 4]);
      optimizer.minimize(() => tf.sum(tf.square(layer.call(x))) as tf.Scalar, false, layer.parameters());
      expect(tf.tidy(() => flatten(layer.weight))).not.toEqual(before);
    }
    x.dispose();
    optimizer.dispose();
    layer.dispose();
  });

  it('sees an assignment in a call, also on a tape, and in a copy', () => {
    const scale = new Scale();
    const variables = scale.parameters();
    const [x, value] = [tf.ones([2]), tf.tensor1d([5, 6])];
    scale.weight = value;
    const { value: loss, grads } = tf.variableGrads(
      () => tf.sum(scale.call(tf.mul(x, 2))) as tf.Scalar,
      variables,
    );
    expect(Object.values(grads).map(flatten)).toEqual([[2, 2]]);
    expect(flatten(scale.weight)).toEqual([5, 6]);
    scale.weight = x;
    const copy = scale.clone();
    expect([scale.weight === variables[0], flatten(scale.weight), flatten(copy.weight)]).toEqual([
      true,
      [1, 1],
      [1, 1],
    ]);
    tf.dispose([x, value, loss, grads]);
    copy.dispose();
    scale.dispose();
  });

  it('disposes the variable of a field that was given a tensor, whether it fits or not, and no tensor', () => {
    for (const value of [tf.ones([2]), tf.ones([3])]) {
      const scale = new Scale();
      const [variable] = scale.parameters() as [tf.Variable];
      scale.weight = value;
      scale.dispose();
      expect([variable.isDisposed, value.isDisposed]).toEqual([true, false]);
      value.dispose();
    }
  });

  it('is disposed also if a field was a plain tensor from the beginning', () => {
    const scale = new Scale();
    const plain = tf.ones([2]);
    Object.assign(scale, { plain });
    expect(() => scale.parameters()).toThrow(expect.objectContaining({ code: 'NOT_A_VARIABLE' }));
    scale.dispose();
    plain.dispose();
  });

  it('may hold a plain tensor that was kept', () => {
    const scale = new Scale();
    const mask = tf.keep(tf.ones([2]));
    Object.assign(scale, { mask });
    expect(scale.parameters()).toHaveLength(1);
    expect(Object.keys(scale.stateDict())).toEqual(['weight', 'offset']);
    mask.dispose();
    scale.dispose();
  });

  it('costs no more after many registrations and removals than after a few', () => {
    const layer = new nn.Linear(2, 3);
    const looked = vi.spyOn(WeakRef.prototype, 'deref');
    const costOf = (rounds: number): number => {
      for (let i = 0; i < rounds; i++) {
        looked.mockClear();
        weightNorm(layer);
        removeParametrizations(layer, 'weight');
      }
      return looked.mock.calls.length;
    };
    const few = costOf(20);
    expect(few).toBeGreaterThan(0);
    costOf(300);
    expect(Math.min(...Array.from({ length: 8 }, () => costOf(1)))).toBeLessThanOrEqual(few + 16);
    looked.mockRestore();
    layer.dispose();
  });
});
