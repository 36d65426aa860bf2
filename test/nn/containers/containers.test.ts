import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Linear, Module, ModuleDict, ModuleList, ReLU, Sequential, Tanh } from '../../../src/nn/index.ts';

class Add extends Module {
  readonly amount: number;
  constructor(amount: number) {
    super();
    this.amount = amount;
  }
  forward(x: tf.Tensor): tf.Tensor {
    return tf.add(tf.add(x, this.amount), 0);
  }
}

const invalid = (fact: string) =>
  expect.objectContaining({ code: 'INVALID_NAME', message: expect.stringContaining(fact) });
const noModule = (fact: string) =>
  expect.objectContaining({ code: 'OPTION', message: expect.stringContaining(fact) });

describe('Sequential', () => {
  it('runs its modules one after the other and frees what is between', () => {
    const net = new Sequential(new Linear(4, 8), new Tanh(), new Linear(8, 3));
    const x = tf.ones([2, 4]);
    const y = net.call(x);
    const [first, second] = [net[0] as Linear, net[2] as Linear];
    const wanted = tf.tidy(() => {
      const hidden = tf.tanh(tf.add(tf.matMul(x, first.weight, false, true), first.bias!));
      return tf.add(tf.matMul(hidden as tf.Tensor2D, second.weight, false, true), second.bias!);
    });
    expect(y).toBeAllClose(wanted);
    tf.dispose([x, y, wanted]);
    net.dispose();
  });

  it('runs the hooks of its modules', () => {
    const net = new Sequential(new Add(1), new Add(2));
    net[1]!.registerForwardHook((_module, _args, output) => tf.mul(output as tf.Tensor, 10));
    const x = tf.scalar(0);
    const y = net.call(x);
    expect(y).toBeAllClose(30);
    tf.dispose([x, y]);
  });

  it('keeps any number of modules in order, by index, at(), iteration and length', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 15 }), (amounts) => {
        const modules = amounts.map((amount) => new Add(amount));
        const net = new Sequential(...modules);
        expect([...net]).toEqual(modules);
        expect(net.length).toBe(modules.length);
        modules.forEach((module, i) => {
          expect(net[i]).toBe(module);
          expect(net.at(i)).toBe(module);
          expect(net.at(i - modules.length)).toBe(module);
        });
        expect(() => net.at(modules.length)).toThrow(noModule(`the index is ${modules.length}`));
        const x = tf.scalar(0);
        const y = net.call(x);
        expect(y).toBeAllClose(amounts.reduce((sum, amount) => sum + amount, 0));
        tf.dispose([x, y]);
      }),
    );
  });

  it('gives back a tensor of its own also without modules', () => {
    const x = tf.scalar(1);
    new Sequential().call(x).dispose();
    expect(x.isDisposed).toBe(false);
    x.dispose();
  });

  it('takes names, as an object or as pairs', () => {
    const modules = { hidden: new Add(1), output: new Add(2) };
    for (const net of [new Sequential(modules), new Sequential(Object.entries(modules))]) {
      expect(net.namedChildren()).toEqual(Object.entries(modules));
      expect(net.at(-1)).toBe(modules.output);
      expect(net.length).toBe(2);
    }
  });

  it("has torch's keys and printed form", () => {
    const net = new Sequential(new Linear(2, 1), new ReLU());
    const named = new Sequential({ fc: net });
    expect(Object.keys(named.stateDict())).toEqual(['fc.0.weight', 'fc.0.bias']);
    expect(named.toString()).toBe(
      'Sequential(\n  (fc): Sequential(\n    (0): Linear(inFeatures=2, outFeatures=1, bias=true)\n    (1): ReLU()\n  )\n)',
    );
    named.dispose();
  });

  it('appends, runs a module that it has twice, and takes another at an index', () => {
    const shared = new Add(1);
    const net = new Sequential(shared);
    expect(net.append(shared).append(new Add(5))).toBe(net);
    net[2] = new Add(7);
    const x = tf.scalar(0);
    const y = net.call(x);
    expect(y).toBeAllClose(9);
    expect([net.length, net.children().length]).toEqual([3, 2]);
    tf.dispose([x, y]);
  });

  it('makes independent copies', () => {
    const net = new Sequential(new Linear(2, 2), new Tanh());
    const copy = net.clone();
    copy.append(new Tanh());
    expect([net.length, copy.length, copy[0] === net[0]]).toEqual([2, 3, false]);
    net.dispose();
    const x = tf.ones([1, 2]);
    tf.dispose([x, copy.call(x)]);
    copy.dispose();
  });

  it('refuses names that would change the order, and names that are taken', () => {
    const [a, b] = [new Add(1), new Add(2)];
    expect(
      () =>
        new Sequential([
          ['1', a],
          ['0', b],
        ]),
    ).toThrow(invalid("'0' cannot be the name of a module: JavaScript"));
    expect(
      () =>
        new Sequential([
          ['a', a],
          ['0', b],
        ]),
    ).toThrow(invalid('the modules would change places'));
    expect(() => new Sequential({ a }).append(b)).toThrow(invalid("'1' cannot be the name"));
    expect(
      () =>
        new Sequential([
          ['a', a],
          ['a', b],
        ]),
    ).toThrow(invalid("'a' cannot be the name of a module: it is taken"));
  });

  it('refuses what is no module', () => {
    expect(() => new Sequential(tf.relu as never, new Add(1))).toThrow(
      noModule("Sequential: '0' is function relu"),
    );
    expect(() => new Sequential([new Add(1)] as never)).toThrow(noModule('takes its modules one by one'));
    expect(() => new Sequential(undefined as never)).toThrow(noModule('got undefined'));
    const net = new Sequential(new Add(1));
    expect(() => net.append({} as never)).toThrow(noModule("'1' is Object, it must be a Module"));
    expect(net.length).toBe(1);
  });
});

describe('ModuleList', () => {
  it('holds modules by index, so that its holder finds them', () => {
    class Stack extends Module {
      layers = new ModuleList([new Linear(2, 2), new Linear(2, 2)]);
      forward(x: tf.Tensor): tf.Tensor {
        for (const layer of this.layers) x = layer.call(x);
        return x;
      }
    }
    const stack = new Stack();
    expect(Object.keys(stack.stateDict())).toEqual([
      'layers.0.weight',
      'layers.0.bias',
      'layers.1.weight',
      'layers.1.bias',
    ]);
    const x = tf.ones([1, 2]);
    tf.dispose([x, stack.call(x)]);
    stack.layers.append(new Linear(2, 2));
    expect(stack.layers.length).toBe(3);
    expect(stack.layers.at(-1)).toBe(stack.layers[2]);
    expect(stack.parameters().length).toBe(6);
    stack.dispose();
  });

  it('takes any iterable and prints as torch does', () => {
    const list = new ModuleList(new Set([new Tanh(), new ReLU()]));
    expect(list.toString()).toBe('ModuleList(\n  (0): Tanh()\n  (1): ReLU()\n)');
    expect(new ModuleList().length).toBe(0);
    expect(new ModuleList().toString()).toBe('ModuleList()');
  });

  it('computes nothing itself', () => {
    expect(() => new ModuleList([new Tanh()]).call()).toThrow(
      expect.objectContaining({
        code: 'NOT_A_FUNCTION',
        message: expect.stringContaining('a ModuleList holds modules and computes nothing'),
      }),
    );
  });

  it('refuses what is no module', () => {
    expect(() => new ModuleList([new Tanh(), null as never])).toThrow(noModule("ModuleList: '1' is null"));
  });
});

describe('ModuleDict', () => {
  it('holds modules by name', () => {
    const [a, b, c] = [new Add(1), new Add(2), new Add(3)];
    const dict = new ModuleDict<Module>({ a });
    expect(dict.set('b', b)).toBe(dict);
    expect([...dict.keys()]).toEqual(['a', 'b']);
    expect([...dict.values()]).toEqual([a, b]);
    expect([...dict.entries()]).toEqual([...dict]);
    expect([...dict]).toEqual([
      ['a', a],
      ['b', b],
    ]);
    dict.set('a', c);
    expect([dict.get('a'), dict.size, dict.has('b'), dict.has('c')]).toEqual([c, 2, true, false]);
    expect([dict.delete('b'), dict.delete('b'), dict.get('b'), dict.size]).toEqual([
      true,
      false,
      undefined,
      1,
    ]);
    expect(dict.children()).toEqual([c]);
  });

  it("has torch's keys and printed form, and makes copies", () => {
    const dict = new ModuleDict([['fc', new Linear(2, 1)]]);
    const copy = dict.clone();
    expect(Object.keys(copy.stateDict())).toEqual(['fc.weight', 'fc.bias']);
    expect(copy.get('fc')).not.toBe(dict.get('fc'));
    expect(dict.toString()).toBe('ModuleDict(\n  (fc): Linear(inFeatures=2, outFeatures=1, bias=true)\n)');
    dict.dispose();
    copy.dispose();
  });

  it.each([
    ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'],
    ...['forward', 'train', 'get', 'set', 'keys', 'training', 'parametrizations', 'call', 'size'],
  ])("refuses the name '%s', which is a property already", (name) => {
    const dict = new ModuleDict();
    expect(() => dict.set(name, new Tanh())).toThrow(
      invalid(
        `ModuleDict: '${name}' cannot be the name of a module: a ModuleDict has a property of that name`,
      ),
    );
    expect(dict.has(name)).toBe(false);
    expect(dict.get(name)).toBeUndefined();
    expect(dict.delete(name)).toBe(false);
    expect(dict.size).toBe(0);
  });

  it.each(['', 'a.b', '.'])("refuses the name '%s', which cannot be part of a key", (name) => {
    expect(() => new ModuleDict([[name, new Tanh()]])).toThrow(invalid('joined by dots to keys'));
  });

  it('takes every other name', () => {
    const name = fc
      .string({ unit: 'binary', minLength: 1 })
      .filter((s) => !s.includes('.') && !(s in new ModuleDict()));
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 5 }), (names) => {
        const dict = new ModuleDict();
        const modules = new Map(names.map((key) => [key, new Tanh()]));
        for (const [key, module] of modules) dict.set(key, module);
        expect(new Map(dict)).toEqual(modules);
        for (const [key, module] of modules) expect(dict.get(key)).toBe(module);
      }),
    );
  });

  it('refuses what is no module, and computes nothing itself', () => {
    expect(() => new ModuleDict({ a: tf.relu as never })).toThrow(
      noModule("ModuleDict: 'a' is function relu"),
    );
    expect(() => new ModuleDict([new Tanh()] as never)).toThrow(noModule('[name, module] pairs'));
    expect(() => new ModuleDict(null as never)).toThrow(noModule('got null'));
    expect(() => new ModuleDict().call()).toThrow(expect.objectContaining({ code: 'NOT_A_FUNCTION' }));
  });
});
