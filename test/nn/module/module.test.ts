import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buffer,
  init,
  Linear,
  Module,
  parameter,
  Sequential,
  StateDictError,
  Tanh,
} from '../../../src/nn/index.ts';
import { disposeVariables } from '../../ownVariables.ts';

class Scale extends Module {
  weight: tf.Tensor = parameter(() => tf.tensor1d([1, 2]));
  forward(x: tf.Tensor): tf.Tensor {
    return tf.mul(tf.add(x, 0), this.weight);
  }
}

/** Children before and between its own tensors, and a buffer before a parameter. */
class Mixed extends Module {
  first = new Scale();
  mean: tf.Tensor = buffer(() => tf.zeros([2]));
  weight: tf.Tensor = parameter(() => tf.ones([2]));
  second = new Scale();
  bias: tf.Tensor = parameter(() => tf.zeros([2]));
  label = 'not a tensor';
  forward(x: tf.Tensor): tf.Tensor {
    return this.second.call(tf.add(tf.mul(this.first.call(x), this.weight), this.bias));
  }
}

/** Two fields that hold the same module. */
class Tied extends Module {
  encoder = new Scale();
  decoder = this.encoder;
  forward(x: tf.Tensor): tf.Tensor {
    return this.decoder.call(this.encoder.call(x));
  }
}

const numbers = (tensor: tf.Tensor): number[] => Array.from(tensor.dataSync());

/** Runs `use` with modules and disposes them. */
function using<M extends Module[]>(modules: [...M], use: (...modules: M) => void): void {
  use(...modules);
  for (const module of modules) module.dispose();
}

const x12 = () => tf.tensor1d([3, 4]);

describe('A module finds its tensors and children', () => {
  it('in the order of the state dict: own parameters, own buffers, children', () => {
    using([new Mixed()], (module) => {
      expect(Object.keys(module.stateDict())).toEqual([
        'weight',
        'bias',
        'mean',
        'first.weight',
        'second.weight',
      ]);
      expect(module.namedParameters().map(([name]) => name)).toEqual([
        'weight',
        'bias',
        'first.weight',
        'second.weight',
      ]);
      expect(module.namedBuffers().map(([name]) => name)).toEqual(['mean']);
      expect(module.buffers()).toEqual([module.mean]);
      expect(module.namedChildren().map(([name]) => name)).toEqual(['first', 'second']);
      expect(module.namedModules()).toEqual([
        ['', module],
        ['first', module.first],
        ['second', module.second],
      ]);
    });
  });

  it('among the own enumerable fields only', () => {
    using([new Scale()], (scale) => {
      const hidden = parameter(() => tf.scalar(0));
      Object.defineProperty(scale, 'hidden', { value: hidden, enumerable: false });
      Object.assign(scale, { options: { inner: hidden } });
      expect(Object.keys(scale.stateDict())).toEqual(['weight']);
      scale.dispose();
      expect(hidden.isDisposed).toBe(false);
      hidden.dispose();
    });
  });

  it('live: the state dict holds the variables themselves', () => {
    using([new Scale()], (scale) => {
      expect(scale.stateDict()['weight']).toBe(scale.weight);
      expect(scale.parameters()).toEqual([scale.weight]);
    });
  });

  it('that are shared under every key, but among the parameters once', () => {
    using([new Tied()], (tied) => {
      expect(Object.keys(tied.stateDict())).toEqual(['encoder.weight', 'decoder.weight']);
      expect(tied.namedParameters()).toEqual([['encoder.weight', tied.encoder.weight]]);
      expect(tied.children()).toEqual([tied.encoder]);
      expect(tied.modules()).toEqual([tied, tied.encoder]);
    });
  });

  it('that are frozen among the parameters, and buffers by their mark', () => {
    using([new Mixed()], (module) => {
      (module.weight as tf.Variable).trainable = false;
      (module.mean as tf.Variable).trainable = true;
      expect(module.parameters()).toContain(module.weight);
      expect(module.buffers()).toEqual([module.mean]);
    });
  });

  it('but not in arrays, which it refuses', () => {
    class Stack extends Module {
      layers = [new Scale(), new Scale()];
      forward(): void {}
    }
    const stack = new Stack();
    const refusal = expect.objectContaining({
      code: 'UNREGISTERED_MODULE',
      message: expect.stringContaining("Stack: the field 'layers' is an array of modules"),
    });
    expect(() => stack.parameters()).toThrow(refusal);
    expect(() => stack.stateDict()).toThrow(refusal);
    expect(() => stack.train()).toThrow(refusal);
    for (const layer of stack.layers) layer.dispose();
  });

  it('but not below itself, which it refuses', () => {
    class Child extends Module {
      parent?: Module;
      forward(): void {}
    }
    class Parent extends Module {
      child = new Child();
      forward(): void {}
    }
    const parent = new Parent();
    parent.child.parent = parent;
    expect(() => parent.stateDict()).toThrow(
      expect.objectContaining({
        code: 'CYCLE',
        message: expect.stringContaining(
          "stateDict: 'child.parent' of this Parent is a Parent that is below itself",
        ),
      }),
    );
    expect(() => parent.loadStateDict({})).toThrow(expect.objectContaining({ code: 'CYCLE' }));
    expect(parent.modules()).toEqual([parent, parent.child]);
    expect(parent.toString()).toBe('Parent(\n  (child): Child(\n    (parent): Parent(…)\n  )\n)');
    expect(parent.clone().child.parent).not.toBe(parent);
    parent.dispose();
  });
});

describe('call', () => {
  it('runs forward and frees the intermediate tensors', () => {
    using([new Scale()], (scale) => {
      const x = x12();
      const y = scale.call(x);
      expect(y).toBeAllClose([3, 8]);
      tf.dispose([x, y]);
    });
  });

  it('hands over the tensors in arrays and plain objects', () => {
    class Many extends Module {
      forward(x: tf.Tensor) {
        const temporary = tf.add(x, 1);
        return {
          list: [tf.add(temporary, 1), [tf.add(temporary, 2)]],
          deep: { y: tf.add(temporary, 3) },
          n: 5,
        };
      }
    }
    const x = tf.scalar(0);
    const before = tf.memory().numTensors;
    const { list, deep, n } = new Many().call(x);
    expect(tf.memory().numTensors).toBe(before + 3);
    expect([list[0] as tf.Tensor, (list[1] as tf.Tensor[])[0]!, deep.y].flatMap(numbers)).toEqual([2, 3, 4]);
    expect(n).toBe(5);
    tf.dispose([x, list, deep]);
  });

  it('leaves the output to an enclosing tidy', () => {
    using([new Scale()], (scale) => {
      const x = x12();
      const sum = tf.tidy(() => tf.sum(scale.call(x)));
      expect(sum).toBeAllClose(11);
      tf.dispose([x, sum]);
    });
  });

  it('frees everything if forward throws', () => {
    class Failing extends Module {
      forward(x: tf.Tensor): tf.Tensor {
        tf.add(x, 1);
        throw new Error('on purpose');
      }
    }
    const x = tf.scalar(0);
    expect(() => new Failing().call(x)).toThrow('on purpose');
    expect(tf.engine().state.activeScope).toBeNull();
    x.dispose();
  });

  it('refuses a forward that returns a promise, also one that rejects later', async () => {
    class Async extends Module {
      async forward(x: tf.Tensor): Promise<tf.Tensor> {
        const y = tf.add(x, 1);
        await new Promise((resolve) => setTimeout(resolve));
        return tf.add(y, 1);
      }
    }
    const x = tf.scalar(0);
    expect(() => new Async().call(x)).toThrow(
      expect.objectContaining({
        code: 'ASYNC',
        message: expect.stringContaining('call: the forward of Async returned a promise'),
      }),
    );
    // The run fails if the rejection is heard by nobody.
    await new Promise((resolve) => setTimeout(resolve, 5));
    x.dispose();
  });

  it('differentiates custom gradients in a module that is named as a kernel', () => {
    class Softmax extends Module {
      forward(x: tf.Tensor): tf.Tensor {
        const tripled = tf.customGrad((...args) => ({
          value: tf.mul(args[0] as tf.Tensor, 3),
          gradFunc: (dy: tf.Tensor) => tf.mul(dy, 3),
        }));
        return tripled(x);
      }
    }
    const x = tf.scalar(2);
    const gradient = tf.grad((z) => new Softmax().call(z))(x);
    expect(gradient).toBeAllClose(3);
    tf.dispose([x, gradient]);
  });

  it('trains: gradients reach the parameters', () => {
    using([new Mixed()], (module) => {
      const x = x12();
      const { value, grads } = tf.variableGrads(() => tf.sum(module.call(x)), module.parameters());
      expect(grads[(module.bias as tf.Variable).name]!).toBeAllClose([1, 2]);
      expect(grads[(module.second.weight as tf.Variable).name]!).toBeAllClose([3, 8]);
      tf.dispose([x, value, grads]);
    });
  });
});

describe('Hooks', () => {
  it('see and replace arguments and output, in the order of their registration', () => {
    using([new Scale()], (scale) => {
      const seen: string[] = [];
      scale.registerForwardPreHook((module, args) => {
        seen.push(`pre 1 ${module === scale} ${numbers(args[0] as tf.Tensor)}`);
        return [tf.add(args[0] as tf.Tensor, 1)];
      });
      scale.registerForwardPreHook((_module, args) => {
        seen.push(`pre 2 ${numbers(args[0] as tf.Tensor)}`);
      });
      scale.registerForwardHook((module, args, output) => {
        seen.push(
          `post 1 ${module === scale} ${numbers(args[0] as tf.Tensor)} ${numbers(output as tf.Tensor)}`,
        );
        return tf.neg(output as tf.Tensor);
      });
      scale.registerForwardHook((_module, _args, output) => {
        seen.push(`post 2 ${numbers(output as tf.Tensor)}`);
      });
      const x = x12();
      const y = scale.call(x);
      expect(y).toBeAllClose([-4, -10]);
      expect(seen).toEqual(['pre 1 true 3,4', 'pre 2 4,5', 'post 1 true 4,5 4,10', 'post 2 -4,-10']);
      tf.dispose([x, y]);
    });
  });

  it('stop when they are removed, also in the middle of a call, and only once', () => {
    using([new Scale()], (scale) => {
      const calls: string[] = [];
      const hook = () => void calls.push('hook');
      const handles = [scale.registerForwardPreHook(hook), scale.registerForwardPreHook(hook)];
      const once = scale.registerForwardHook(() => {
        calls.push('once');
        once.remove();
        scale.registerForwardHook(() => void calls.push('later'));
      });
      const x = x12();
      const run = () => scale.call(x).dispose();
      run();
      expect(calls.splice(0)).toEqual(['hook', 'hook', 'once']);
      handles[0]!.remove();
      handles[0]!.remove();
      run();
      expect(calls.splice(0)).toEqual(['hook', 'later']);
      handles[1]!.remove();
      run();
      expect(calls).toEqual(['later']);
      x.dispose();
    });
  });

  it('run inside the tidy of the call', () => {
    using([new Scale()], (scale) => {
      scale.registerForwardHook((_module, _args, output) => void tf.square(output as tf.Tensor));
      const x = x12();
      tf.dispose([x, scale.call(x)]);
    });
  });
});

describe('train and eval', () => {
  it('set the mode of the module and all below, and return it', () => {
    using([new Mixed()], (module) => {
      const modes = () => module.modules().map(({ training }) => training);
      expect(modes()).toEqual([true, true, true]);
      expect(module.eval()).toBe(module);
      expect(modes()).toEqual([false, false, false]);
      module.second.train();
      expect(modes()).toEqual([false, false, true]);
      expect(module.train(false).train()).toBe(module);
      expect(modes()).toEqual([true, true, true]);
    });
  });
});

describe('loadStateDict', () => {
  const full = () => ({
    weight: tf.tensor1d([1, 2]),
    bias: tf.tensor1d([3, 4]),
    mean: tf.tensor1d([5, 6]),
    'first.weight': tf.tensor1d([7, 8]),
    'second.weight': tf.tensor1d([9, 10]),
  });

  it('copies the values and leaves the map to the caller', () => {
    using([new Mixed()], (module) => {
      const map = full();
      const variables = Object.values(module.stateDict());
      expect(module.loadStateDict(map)).toEqual({ mapped: [], missingKeys: [], unexpectedKeys: [] });
      expect(Object.values(module.stateDict())).toEqual(variables);
      tf.dispose(map);
      expect(Object.values(module.stateDict()).flatMap(numbers)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    });
  });

  it('brings any values from one module to another', () => {
    const value = fc.float({ noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 10, maxLength: 10 }), (values) => {
        using([new Mixed(), new Mixed()], (source, target) => {
          Object.values(source.stateDict()).forEach((variable, i) => {
            tf.tidy(() => (variable as tf.Variable).assign(tf.tensor1d(values.slice(2 * i, 2 * i + 2))));
          });
          target.loadStateDict(source.stateDict());
          source.first.dispose();
          expect(Object.values(target.stateDict()).flatMap(numbers)).toBeAllClose(values, { relative: 0 });
        });
      }),
    );
  });

  it('throws with every problem listed and changes nothing', () => {
    using([new Mixed()], (module) => {
      const { bias, ...rest } = full();
      const gone = tf.tensor1d([0, 0]);
      gone.dispose();
      const map = {
        ...rest,
        mean: tf.zeros([3]),
        'first.weight': gone,
        'second.weight': 5 as never,
        biass: bias,
      };
      const before = Object.values(module.stateDict()).map(({ dataId }) => dataId);
      let error: unknown;
      try {
        module.loadStateDict(map);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(StateDictError);
      expect(error).toMatchObject({ code: 'STATE_DICT', missingKeys: ['bias'], unexpectedKeys: ['biass'] });
      for (const problem of [
        'the map does not fit Mixed',
        "'mean' has shape [3] in the map and [2] in the module",
        "'first.weight' is a disposed tensor",
        "'second.weight' is number, not a tensor",
        'missing: bias',
        'unexpected: biass',
        'Nothing was loaded',
      ]) {
        expect((error as Error).message).toContain(problem);
      }
      expect(Object.values(module.stateDict()).map(({ dataId }) => dataId)).toEqual(before);
      tf.dispose([rest, map.mean, bias]);
    });
  });

  it('allows missing and unexpected keys if it is not strict, but no other shapes', () => {
    using([new Mixed()], (module) => {
      const map = { bias: tf.tensor1d([3, 4]), other: tf.scalar(0) };
      expect(module.loadStateDict(map, { strict: false })).toEqual({
        mapped: [],
        missingKeys: ['weight', 'mean', 'first.weight', 'second.weight'],
        unexpectedKeys: ['other'],
      });
      expect(module.bias).toBeAllClose([3, 4]);
      expect(() => module.loadStateDict({ bias: map.other }, { strict: false })).toThrow(
        "'bias' has shape []",
      );
      tf.dispose(map);
    });
  });

  it('casts to the dtype of the variable', () => {
    using([new Scale()], (scale) => {
      const map = { weight: tf.tensor1d([3, 4], 'int32') };
      scale.loadStateDict(map);
      expect([scale.weight.dtype, ...numbers(scale.weight)]).toEqual(['float32', 3, 4]);
      tf.dispose(map);
    });
  });

  it('takes its own state dict, also with the keys swapped', () => {
    using([new Mixed()], (module) => {
      tf.tidy(() => void module.loadStateDict(full()));
      module.loadStateDict(module.stateDict());
      expect(module.weight).toBeAllClose([1, 2]);
      module.loadStateDict({ ...module.stateDict(), weight: module.bias, bias: module.weight });
      expect([...numbers(module.weight), ...numbers(module.bias)]).toEqual([3, 4, 1, 2]);
    });
  });

  it('lets pre-hooks rename keys, and reports it', () => {
    using([new Mixed()], (module) => {
      const prefixes: string[] = [];
      for (const part of module.modules()) {
        part.registerLoadStateDictPreHook((host, { state, prefix, mapped }) => {
          prefixes.push(`${prefix} ${host === part}`);
          const old = state.get(`${prefix}gamma`);
          if (old === undefined) return;
          state.delete(`${prefix}gamma`);
          state.set(`${prefix}weight`, tf.mul(old, 2));
          mapped({
            from: [`${prefix}gamma`],
            to: [`${prefix}weight`],
            actions: [{ kind: 'other', text: 'doubled' }],
          });
        });
      }
      const { 'second.weight': gamma, ...rest } = full();
      const map = { ...rest, 'second.gamma': gamma };
      expect(module.loadStateDict(map)).toEqual({
        mapped: [
          { from: ['second.gamma'], to: ['second.weight'], actions: [{ kind: 'other', text: 'doubled' }] },
        ],
        missingKeys: [],
        unexpectedKeys: [],
      });
      expect(prefixes).toEqual([' true', 'first. true', 'second. true']);
      expect(module.second.weight).toBeAllClose([18, 20]);
      expect(Object.keys(map)).toContain('second.gamma');
      tf.dispose(map);
    });
  });
});

describe('clone', () => {
  it('makes an independent copy of the same class', () => {
    using([new Mixed()], (module) => {
      module.eval();
      const copy = module.clone();
      expect(copy).toBeInstanceOf(Mixed);
      expect(copy.label).toBe('not a tensor');
      expect(copy.first.training).toBe(false);
      expect(Object.keys(copy.stateDict())).toEqual(Object.keys(module.stateDict()));
      expect(copy.buffers()).toEqual([copy.mean]);
      tf.tidy(() => (copy.weight as tf.Variable).assign(tf.tensor1d([5, 6])));
      copy.train();
      expect([numbers(module.weight), module.training]).toEqual([[1, 1], false]);
      copy.dispose();
      expect(module.first.weight).toBeAllClose([1, 2]);
    });
  });

  it('keeps ties inside the copy and cuts those to the source', () => {
    using([new Tied()], (tied) => {
      const copy = tied.clone();
      expect(copy.encoder).toBe(copy.decoder);
      expect(copy.encoder).not.toBe(tied.encoder);
      copy.dispose();
    });
  });

  it('copies variables in arrays, maps, sets and objects, and everything else by reference', () => {
    class Holder extends Module {
      shared = parameter(() => tf.scalar(1));
      box = { list: [this.shared], map: new Map([['k', this.shared]]), set: new Set([this.shared]) };
      foreign = new Date(0);
      frozen = parameter(() => tf.scalar(2));
      forward(): void {}
    }
    using([new Holder()], (holder) => {
      holder.frozen.trainable = false;
      const copy = holder.clone();
      const { list, map, set } = copy.box;
      expect([list[0], map.get('k'), [...set][0]]).toEqual([copy.shared, copy.shared, copy.shared]);
      expect(copy.shared).not.toBe(holder.shared);
      expect(copy.foreign).toBe(holder.foreign);
      expect([copy.frozen.trainable, copy.shared.trainable]).toEqual([false, true]);
      copy.dispose();
    });
  });

  it('copies hooks, which then run with the copy and are removed from either alone', () => {
    using([new Scale()], (scale) => {
      const seen: Module[] = [];
      const handle = scale.registerForwardPreHook((module) => void seen.push(module));
      const copy = scale.clone();
      const x = x12();
      tf.dispose(copy.call(x));
      expect(seen.splice(0)).toEqual([copy]);
      handle.remove();
      tf.dispose([scale.call(x), copy.call(x), x]);
      expect(seen).toEqual([copy]);
      copy.dispose();
    });
  });

  it('asks a class with a clone of its own', () => {
    class Private extends Module {
      readonly #secret: number;
      constructor(secret: number) {
        super();
        this.#secret = secret;
      }
      override clone(): this {
        return new Private(this.#secret) as this;
      }
      forward(): number {
        return this.#secret;
      }
    }
    class Outer extends Module {
      inner = new Private(7);
      forward(): number {
        return this.inner.call();
      }
    }
    expect(new Outer().clone().call()).toBe(7);
  });

  it('refuses a disposed module and leaves nothing behind', () => {
    const module = new Mixed();
    module.second.dispose();
    expect(() => module.clone()).toThrow(
      expect.objectContaining({
        code: 'DISPOSED',
        message: expect.stringContaining('clone: a variable of shape [2]'),
      }),
    );
    module.dispose();
  });
});

describe('dispose', () => {
  it('frees every parameter and buffer, shared ones once, and does nothing a second time', () => {
    for (const module of [new Mixed(), new Tied()]) {
      module.dispose();
      module.dispose();
      expect(Object.values(module.stateDict()).every(({ isDisposed }) => isDisposed)).toBe(true);
    }
  });

  it('does not mind that tf.disposeVariables was there first', () => {
    const module = new Scale();
    disposeVariables();
    module.dispose();
  });

  it('makes call and loadStateDict refuse, also below', () => {
    const module = new Mixed();
    const x = x12();
    module.second.dispose();
    const disposed = (message: string) =>
      expect.objectContaining({ code: 'DISPOSED', message: expect.stringContaining(message) });
    expect(() => module.call(x)).toThrow(disposed('call: this Scale has been disposed'));
    expect(() => module.loadStateDict({})).toThrow(
      disposed("loadStateDict: 'second.weight' of this Mixed has been"),
    );
    module.dispose();
    expect(() => module.call(x)).toThrow(disposed('call: this Mixed has been disposed'));
    x.dispose();
  });
});

describe('toString', () => {
  it("prints as torch's repr", () => {
    class Block extends Module {
      linear = new Linear(2, 3);
      act = new Tanh();
      forward(): void {}
    }
    class Net extends Module {
      block = new Block();
      head = new Linear(3, 1, { bias: false });
      override extraRepr(): string {
        return 'depth=1';
      }
      forward(): void {}
    }
    using([new Net()], (net) => {
      expect(`${net}`).toBe(
        [
          'Net(',
          '  depth=1',
          '  (block): Block(',
          '    (linear): Linear(inFeatures=2, outFeatures=3, bias=true)',
          '    (act): Tanh()',
          '  )',
          '  (head): Linear(inFeatures=3, outFeatures=1, bias=false)',
          ')',
        ].join('\n'),
      );
    });
  });
});

describe('apply', () => {
  it('applies a function to children before parents, to a module of two parents twice', () => {
    const shared = new Linear(1, 1);
    const model = new Sequential(new Sequential(shared), shared);
    const seen: string[] = [];
    expect(model.apply((module) => seen.push(module.constructor.name))).toBe(model);
    expect(seen).toEqual(['Linear', 'Sequential', 'Linear', 'Sequential']);
    model.apply((module) => {
      if (module instanceof Linear) init.ones(module.weight);
    });
    expect(shared.weight).toBeAllClose([[1]]);
    model.dispose();
  });
});
