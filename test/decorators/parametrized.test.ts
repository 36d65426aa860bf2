import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  clone,
  describe as describeModel,
  fold,
  isParametrized,
  type nn,
  parametrizationsOn,
  removeParametrizations,
  symmetric,
  weightNorm,
} from '../../src/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { legacyModes, load, standardModes } from './modes.ts';

type Classes = typeof import('./programs/classes.ts');
type Accessors = typeof import('./programs/accessors.ts');

const matrix = [
  [3, 4],
  [6, 8],
];

const doubled = [
  [6, 8],
  [12, 16],
];

const made: nn.Module[] = [];
/** Has a module disposed after the test. */
function use<M extends nn.Module>(module: M): M {
  made.push(module);
  return module;
}
// Before the check for leaks, which is older and so runs later.
afterEach(() => {
  for (const module of made.splice(0)) module.dispose();
});

const chainsOn = (host: object, name: string): string[] =>
  [...parametrizationsOn(host, name)].map((step) => step.constructor.name);

describe.each([...standardModes, ...legacyModes])('$name:', (mode) => {
  let classes: Classes;
  beforeAll(async () => {
    classes = await load(mode, 'classes');
  });

  it('a tensor field is parametrized from the start, with the value of a registration by hand', () => {
    const layer = use(new classes.Layer());
    inTidy(() => {
      expect(layer.weight).toBeAllClose(matrix);
      expect(layer.stacked).toBeAllClose(doubled);
      expect(parametrizationsOn(layer, 'weight').g).toBeAllClose([[5], [10]]);
    });
  });

  it('several decorators are applied from the bottom up', () => {
    const layer = use(new classes.Layer());
    expect(chainsOn(layer, 'stacked')).toEqual(['Object', 'Double']);
    inTidy(() => {
      expect(parametrizationsOn(layer, 'stacked').original).toBeAllClose([
        [2, 3],
        [5, 7],
      ]);
    });
  });

  it('the state dict is that of a model registered by hand, in the order of the fields', () => {
    expect(Object.keys(use(new classes.Layer()).stateDict())).toEqual([
      'first',
      'last',
      'parametrizations.weight.original0',
      'parametrizations.weight.original1',
      'parametrizations.stacked.original',
      'parametrizations.stacked.1.factor',
    ]);
  });

  it('what runs after the field sees the computed tensor', () => {
    // With the class decorator alone the object has to be complete first.
    const isLate = mode.name.startsWith('legacy, defined');
    expect(use(new classes.Layer()).seenByNextField).toBe(!isLate);
    expect(use(new classes.Sub()).seenByConstructor).toBe(true);
  });

  it('subclasses inherit and add', () => {
    const [sub, heir] = [use(new classes.Sub()), use(new classes.Heir())];
    for (const host of [sub, heir]) {
      expect(chainsOn(host, 'weight')).toEqual(['WeightNorm']);
      expect(chainsOn(host, 'stacked')).toEqual(['Object', 'Double']);
      expect(chainsOn(host, 'metric')).toEqual(['Symmetric']);
      expect(host).toBeInstanceOf(classes.Layer);
      inTidy(() => expect(host.call(tf.ones([1, 2]))).toBeAllClose([[27, 36]]));
    }
    expect([sub.constructor, heir.constructor]).toEqual([classes.Sub, classes.Heir]);
    expect([sub.constructor.name, heir.constructor.name]).toEqual(['Sub', 'Heir']);
  });

  it('nested modules are parametrized in their place', () => {
    const outer = use(new classes.Outer());
    expect(describeModel(outer).rows.map(({ path, tensor }) => `${path}.${tensor}`)).toEqual([
      'layer.weight',
      'layer.stacked',
    ]);
  });

  it('a field with a module is parametrized inside: main weight, named tensor, every element', () => {
    const parts = use(new classes.Parts());
    expect(describeModel(parts).rows.map(({ path, tensor, chain }) => `${path}.${tensor} ${chain}`)).toEqual([
      'linear.weight WeightNorm(dim=0)',
      'rnn.weight_hh_l0 WeightNorm(dim=null)',
      'list.0.weight WeightNorm(dim=0)',
      'list.1.weight WeightNorm(dim=0)',
      'two.weight WeightNorm(dim=0)',
      'two.bias Double()',
    ]);
  });

  it('a module in a decorated field may be replaced', async () => {
    const parts = use(new classes.Replacing());
    await Promise.resolve();
    parts.eval();
    parts.replace();
    expect(isParametrized(parts.linear)).toBe(false);
    expect(parts.parameters()).toContain(parts.linear.weight);
  });

  it('a field without a tensor waits for its first one', () => {
    const [small, large] = [use(new classes.Sized(2)), use(new classes.Sized(3, { bias: true }))];
    expect([small.weight.shape, large.weight.shape]).toEqual([
      [2, 2],
      [3, 3],
    ]);
    expect(isParametrized(small, 'weight') && isParametrized(large, 'weight')).toBe(true);
    expect(isParametrized(large, 'bias')).toBe(true);
    expect(isParametrized(small, 'bias')).toBe(false);
    expect(small.bias).toBeNull();
    const copy = use(small.clone());
    copy.bias = tf.tidy(() => tf.variable(tf.ones([2])));
    expect(isParametrized(copy, 'bias')).toBe(true);
    expect(small.bias).toBeNull();
  });

  it('a field that waits goes on waiting after a value that cannot be parametrized', () => {
    const net = use(new classes.Sized(2));
    const keys = Object.keys(net);
    const gone = tf.tidy(() => tf.variable(tf.ones([2])));
    gone.dispose();
    const plain = tf.ones([2]);
    for (const [value, code] of [
      [plain, 'NOT_A_VARIABLE'],
      [gone, 'DISPOSED'],
    ] as const) {
      expect(() => {
        net.bias = value;
      }).toThrow(expect.objectContaining({ code }));
      expect([net.bias, Object.keys(net), isParametrized(net, 'bias')]).toEqual([null, keys, false]);
    }
    net.bias = tf.tidy(() => tf.variable(plain));
    plain.dispose();
    expect(isParametrized(net, 'bias')).toBe(true);
    expect(net.parameters()).toHaveLength(4);
  });

  it('objects of one class share nothing', () => {
    const [a, b] = [use(new classes.Layer()), use(new classes.Layer())];
    const { factor } = parametrizationsOn(a, 'stacked')[1] as InstanceType<Classes['Double']>;
    tf.tidy(() => {
      a.weight = tf.ones([2, 2]);
      (factor as tf.Variable).assign(tf.scalar(4));
    });
    inTidy(() => {
      expect(a.weight).toBeAllClose(tf.ones([2, 2]));
      expect(b.weight).toBeAllClose(matrix);
      expect(b.stacked).toBeAllClose(doubled);
    });
  });

  it('an object that is no module is parametrized as well', () => {
    const plain = new classes.Plain();
    expect(chainsOn(plain, 'kernel')).toEqual(['WeightNorm']);
    const copy = clone(plain);
    for (const host of [plain, copy]) {
      inTidy(() => expect(host.kernel).toBeAllClose(matrix));
      removeParametrizations(host, 'kernel');
      host.kernel.dispose();
    }
  });

  it('describe marks what was declared, in copies too, and nothing else', () => {
    const parts = use(new classes.Parts());
    symmetric(parts.two);
    const copy = use(parts.clone());
    for (const model of [parts, copy]) {
      const { rows } = describeModel(model);
      expect(rows.map(({ declaredBy }) => declaredBy)).toEqual([
        ['Parts.linear'],
        ['Parts.rnn'],
        ['Parts.list'],
        ['Parts.list'],
        ['Parts.two', null],
        ['Parts.two'],
      ]);
      expect(String(describeModel(model))).toContain('@WeightNorm(dim=0) → Symmetric()');
    }
    const layer = use(use(new classes.Layer()).clone());
    expect(describeModel(layer).rows[1]!.declaredBy).toEqual(['Layer.stacked', 'Layer.stacked']);
  });

  it('a copy is independent, folds, and goes on working', () => {
    const layer = use(new classes.Sub());
    const copy = use(layer.clone());
    expect(fold(copy)).toEqual(['weight', 'stacked', 'metric']);
    const plain = use(copy.clone());
    for (const host of [copy, plain]) {
      expect(isParametrized(host)).toBe(false);
      expect(host.parameters()).toHaveLength(5);
      inTidy(() => expect(host.weight).toBeAllClose(matrix));
    }
    expect(chainsOn(layer, 'weight')).toEqual(['WeightNorm']);
    weightNorm(copy, 'weight');
    expect(chainsOn(copy, 'weight')).toEqual(['WeightNorm']);
  });

  it('constructing and disposing leaves nothing behind', () => {
    const before = tf.memory().numTensors;
    for (const Class of [classes.Sub, classes.Parts, classes.Outer]) new Class().dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe.each(standardModes)('$name: an accessor field', (mode) => {
  let Accessors: Accessors['Accessors'];
  beforeAll(async () => {
    ({ Accessors } = await load<Accessors>(mode, 'accessors'));
  });

  it('is parametrized at its place among the fields', () => {
    const host = use(new Accessors());
    expect(chainsOn(host, 'weight')).toEqual(['WeightNorm', 'Symmetric']);
    expect(chainsOn(host.linear, 'weight')).toEqual(['WeightNorm']);
    expect(host.seenByNextField).toBe(true);
    expect(Object.keys(host.stateDict())).toEqual([
      'first',
      'last',
      'parametrizations.weight.original0',
      'parametrizations.weight.original1',
      'linear.bias',
      'linear.parametrizations.weight.original0',
      'linear.parametrizations.weight.original1',
    ]);
  });

  it('is copied, folded, given a tensor later, as any other', () => {
    const host = use(new Accessors());
    const copy = use(host.clone());
    copy.later = tf.tidy(() => tf.variable(tf.ones([2, 2])));
    expect([isParametrized(copy, 'later'), isParametrized(host, 'later')]).toEqual([true, false]);
    fold(copy);
    expect(Object.keys(copy.stateDict())).toEqual([
      'first',
      'weight',
      'later',
      'last',
      'linear.weight',
      'linear.bias',
    ]);
    expect(chainsOn(host, 'weight')).toEqual(['WeightNorm', 'Symmetric']);
  });
});
