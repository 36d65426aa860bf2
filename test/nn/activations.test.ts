import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  ELU,
  GELU,
  LeakyReLU,
  LogSoftmax,
  type Module,
  ReLU,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Tanh,
} from '../../src/nn/index.ts';
import { example, expectGradients } from './gradientCheck.ts';

const σ = (x: number) => 1 / (1 + Math.exp(-x));
const softened = (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

const elementwise: [string, () => Module, (x: number) => number][] = [
  ['ReLU()', () => new ReLU(), (x) => Math.max(x, 0)],
  ['Tanh()', () => new Tanh(), Math.tanh],
  ['Sigmoid()', () => new Sigmoid(), σ],
  ['Softplus(beta=1)', () => new Softplus(), (x) => Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0)],
  [
    'Softplus(beta=2)',
    () => new Softplus(2),
    (x) => Math.log1p(Math.exp(-Math.abs(2 * x))) / 2 + Math.max(x, 0),
  ],
  ["GELU(approximate='tanh')", () => new GELU({ approximate: 'tanh' }), softened],
  ['SiLU()', () => new SiLU(), (x) => x * σ(x)],
  ['LeakyReLU(negativeSlope=0.01)', () => new LeakyReLU(), (x) => (x > 0 ? x : 0.01 * x)],
  ['LeakyReLU(negativeSlope=0.3)', () => new LeakyReLU(0.3), (x) => (x > 0 ? x : 0.3 * x)],
  ['ELU(alpha=1)', () => new ELU(), (x) => (x > 0 ? x : Math.expm1(x))],
  ['ELU(alpha=0.7)', () => new ELU(0.7), (x) => (x > 0 ? x : 0.7 * Math.expm1(x))],
];

describe.each(elementwise)('%s', (text, make, f) => {
  it('computes its formula, also far from 0', () => {
    const module = make();
    const values = [-100, -20, -3, -0.5, -1e-4, 0, 1e-4, 0.5, 3, 20, 100];
    const x = tf.tensor1d(values);
    const y = module.call(x);
    expect(y).toBeAllClose(values.map(f), { absolute: 2e-6 });
    tf.dispose([x, y]);
  });

  it('can be differentiated twice, in any shape', () => {
    const module = make();
    const x = example([2, 1, 4]);
    expectGradients(() => module.call(x), [x]);
    x.dispose();
  });

  it("prints as torch's, and has no state", () => {
    const module = make();
    expect(module.toString()).toBe(text);
    expect(module.stateDict()).toEqual({});
  });
});

describe('GELU()', () => {
  it("has torch's values", () => {
    const gelu = new GELU();
    const x = tf.tensor1d([-3, -1, -0.5, 0, 0.5, 1, 3]);
    const y = gelu.call(x);
    expect(y).toBeAllClose([-0.00404969, -0.15865525, -0.15426877, 0, 0.34573123, 0.84134475, 2.9959503], {
      absolute: 1e-6,
    });
    expect(gelu.toString()).toBe("GELU(approximate='none')");
    tf.dispose([x, y]);
  });

  it('can be differentiated twice', () => {
    const gelu = new GELU();
    const x = example([5]);
    expectGradients(() => gelu.call(x), [x]);
    x.dispose();
  });
});

describe.each<[string, (dim: number) => Module, (exponentials: number[]) => number[]]>([
  ['Softmax', (dim) => new Softmax(dim), (e) => e.map((v) => v / e.reduce((a, b) => a + b, 0))],
  [
    'LogSoftmax',
    (dim) => new LogSoftmax(dim),
    (e) => e.map((v) => Math.log(v / e.reduce((a, b) => a + b, 0))),
  ],
])('%s', (name, make, normalize) => {
  it.each([[0], [1], [2], [-1], [-3]])('normalizes along dim %i', (dim) => {
    const module = make(dim);
    const shape = [2, 3, 4];
    const x = example(shape);
    const axis = dim < 0 ? dim + 3 : dim;
    const stride = tf.util.sizeFromShape(shape.slice(axis + 1));
    const values = x.dataSync();
    const wanted = Array.from(values, (_, index) => {
      const place = Math.floor(index / stride) % shape[axis]!;
      const first = index - place * stride;
      const line = Array.from({ length: shape[axis]! }, (_, i) => Math.exp(values[first + i * stride]!));
      return normalize(line)[place]!;
    });
    const y = module.call(x);
    expect(y.shape).toEqual(shape);
    expect(Array.from(y.dataSync())).toBeAllClose(wanted);
    tf.dispose([x, y]);
    expect(module.toString()).toBe(`${name}(dim=${dim})`);
  });

  it.each([[0], [1]])('can be differentiated twice along dim %i', (dim) => {
    const module = make(dim);
    const x = example([3, 2]);
    expectGradients(() => module.call(x), [x]);
    x.dispose();
  });

  it('takes a scalar and does not overflow', () => {
    const x = tf.tensor1d([1000, 0]);
    const [scalar, y, one] = [tf.scalar(3), make(0).call(x), make(-1)];
    const z = one.call(scalar);
    expect([y.dataSync()[0], z.shape, z.dataSync()[0]]).toEqual(name === 'Softmax' ? [1, [], 1] : [0, [], 0]);
    tf.dispose([x, scalar, y, z]);
  });

  it('refuses a dim that the input lacks, and one that is no integer', () => {
    const x = tf.ones([2, 3]);
    expect(() => make(2).call(x)).toThrow(
      expect.objectContaining({
        code: 'SHAPE',
        message: `${name}: dim is 2, but the input has shape [2, 3]. Pass a dim from -2 to 1.`,
      }),
    );
    expect(() => make(0.5)).toThrow(expect.objectContaining({ code: 'OPTION' }));
    expect(() => make(undefined as never)).toThrow(
      'dim is undefined, it must be an integer. Pass a whole number.',
    );
    x.dispose();
  });
});

describe('At 0', () => {
  it.each([
    ['ReLU', new ReLU(), 0],
    ['LeakyReLU', new LeakyReLU(0.2), 0.2],
    ['ELU', new ELU(0.7), 0.7],
    ['GELU', new GELU(), 0.5],
  ])("%s has torch's gradient", (_name, module, slope) => {
    const x = tf.scalar(0);
    const gradient = tf.grad((z) => module.call(z))(x);
    expect(gradient).toBeAllClose(slope);
    tf.dispose([x, gradient]);
  });
});

describe('Options', () => {
  it.each([
    [() => new LeakyReLU(Number.NaN), 'LeakyReLU: negativeSlope is NaN'],
    [() => new ELU('1' as never), 'ELU: alpha is 1, it must be a finite number'],
    [() => new Softplus(0), 'Softplus: beta is 0'],
    [() => new GELU({ approximate: 'Tanh' as never }), "one of 'none', 'tanh'. Did you mean 'tanh'?"],
    [() => new GELU('tanh' as never), 'the options are tanh, they must be an object'],
  ])('refuses what is no option (%#)', (make, message) => {
    expect(make).toThrow(
      expect.objectContaining({ code: 'OPTION', message: expect.stringContaining(message) }),
    );
  });
});
