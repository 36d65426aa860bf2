import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CELU,
  ELU,
  GELU,
  Hardshrink,
  Hardsigmoid,
  Hardswish,
  Hardtanh,
  LeakyReLU,
  LogSigmoid,
  LogSoftmax,
  Mish,
  type Module,
  ReLU,
  ReLU6,
  SELU,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Softshrink,
  Softsign,
  Tanh,
  Tanhshrink,
  Threshold,
} from '../../../src/nn/index.ts';
import { example, expectGradients } from '../gradientCheck.ts';

const σ = (x: number) => 1 / (1 + Math.exp(-x));
const clamp = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high);
const softplus = (x: number) => Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0);
const softened = (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
const [scale, alpha] = [1.0507009873554805, 1.6732632423543772];

/** The printed form, the layer, its formula, and where the pieces of the formula meet. */
const elementwise: [string, () => Module, (x: number) => number, number[]][] = [
  ['ReLU()', () => new ReLU(), (x) => Math.max(x, 0), [0]],
  ['ReLU6()', () => new ReLU6(), (x) => clamp(x, 0, 6), [0, 6]],
  ['Tanh()', () => new Tanh(), Math.tanh, []],
  ['Sigmoid()', () => new Sigmoid(), σ, []],
  ['Softsign()', () => new Softsign(), (x) => x / (1 + Math.abs(x)), [0]],
  ['Softplus(beta=1, threshold=20)', () => new Softplus(), (x) => (x > 20 ? x : softplus(x)), [20]],
  ['Softplus(beta=2, threshold=20)', () => new Softplus(2), (x) => (x > 10 ? x : softplus(2 * x) / 2), [10]],
  [
    'Softplus(beta=0.5, threshold=-1)',
    () => new Softplus(0.5, -1),
    (x) => (x > -2 ? x : 2 * softplus(x / 2)),
    [-2],
  ],
  ['Softplus(beta=-1, threshold=3)', () => new Softplus(-1, 3), (x) => (x < -3 ? x : -softplus(-x)), [-3]],
  ['LogSigmoid()', () => new LogSigmoid(), (x) => -softplus(-x), []],
  ["GELU(approximate='tanh')", () => new GELU({ approximate: 'tanh' }), softened, []],
  ['SiLU()', () => new SiLU(), (x) => x * σ(x), []],
  ['Mish()', () => new Mish(), (x) => x * Math.tanh(softplus(x)), []],
  ['LeakyReLU(negativeSlope=0.01)', () => new LeakyReLU(), (x) => (x > 0 ? x : 0.01 * x), [0]],
  ['LeakyReLU(negativeSlope=0.3)', () => new LeakyReLU(0.3), (x) => (x > 0 ? x : 0.3 * x), [0]],
  ['Threshold(threshold=0.1, value=20)', () => new Threshold(0.1, 20), (x) => (x > 0.1 ? x : 20), [0.1]],
  ['ELU(alpha=1)', () => new ELU(), (x) => (x > 0 ? x : Math.expm1(x)), [0]],
  ['ELU(alpha=0.7)', () => new ELU(0.7), (x) => (x > 0 ? x : 0.7 * Math.expm1(x)), [0]],
  ['SELU()', () => new SELU(), (x) => scale * (x > 0 ? x : alpha * Math.expm1(x)), [0]],
  ['CELU(alpha=1)', () => new CELU(), (x) => (x > 0 ? x : Math.expm1(x)), [0]],
  ['CELU(alpha=2.5)', () => new CELU(2.5), (x) => (x > 0 ? x : 2.5 * Math.expm1(x / 2.5)), [0]],
  ['Hardtanh(minVal=-1, maxVal=1)', () => new Hardtanh(), (x) => clamp(x, -1, 1), [-1, 1]],
  ['Hardtanh(minVal=-0.2, maxVal=3)', () => new Hardtanh(-0.2, 3), (x) => clamp(x, -0.2, 3), [-0.2, 3]],
  ['Hardsigmoid()', () => new Hardsigmoid(), (x) => clamp(x + 3, 0, 6) / 6, [-3, 3]],
  ['Hardswish()', () => new Hardswish(), (x) => (x * clamp(x + 3, 0, 6)) / 6, [-3, 3]],
  ['Softshrink(0.5)', () => new Softshrink(), (x) => x - clamp(x, -0.5, 0.5), [-0.5, 0.5]],
  ['Softshrink(2)', () => new Softshrink(2), (x) => x - clamp(x, -2, 2), [-2, 2]],
  ['Hardshrink(0.5)', () => new Hardshrink(), (x) => (Math.abs(x) > 0.5 ? x : 0), [-0.5, 0.5]],
  ['Hardshrink(-1)', () => new Hardshrink(-1), (x) => x, []],
  ['Tanhshrink()', () => new Tanhshrink(), (x) => x - Math.tanh(x), []],
];

/** A function and its first three derivatives, by central differences in float64. */
function derivatives(f: (x: number) => number, x: number): number[] {
  const h = 1e-3;
  const [a, b, c, d, e] = [-2, -1, 0, 1, 2].map((k) => f(x + k * h)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return [c, (d - b) / (2 * h), (d - 2 * c + b) / h ** 2, (e - 2 * d + 2 * b - a) / (2 * h ** 3)];
}

/** Where tfjs says that there is no derivative, as of a constant, it is 0. */
const derivativeOf = (f: (x: tf.Tensor) => tf.Tensor) => (x: tf.Tensor) => {
  const { grads } = tf.engine().gradients(() => tf.sum(f(x)) as tf.Scalar, [x], undefined, true);
  return (grads[0] as tf.Tensor | null | undefined) ?? tf.zerosLike(x);
};

describe.each(elementwise)('%s', (text, make, f, kinks) => {
  it('computes its formula, also far from 0', () => {
    const module = make();
    const values = [-100, -20, -3, -0.5, -1e-4, 0, 1e-4, 0.5, 3, 20, 100];
    const x = tf.tensor1d(values);
    const y = module.call(x);
    expect(y).toBeAllClose(values.map(f), { absolute: 2e-6 });
    tf.dispose([x, y]);
  });

  it('computes its formula and the first three derivatives of it everywhere', () => {
    const module = make();
    const isSmooth = (x: number) => kinks.every((kink) => Math.abs(x - kink) > 5e-3);
    const number = fc.double({ min: -30, max: 30, noNaN: true }).map(Math.fround).filter(isSmooth);
    fc.assert(
      fc.property(fc.array(number, { minLength: 1, maxLength: 20 }), (values) => {
        tf.tidy(() => {
          const wanted = values.map((x) => derivatives(f, x));
          let derivative = (x: tf.Tensor): tf.Tensor => module.call(x);
          [2e-6, 1e-5, 1e-4, 1e-3].forEach((absolute, order) => {
            const found = Array.from(derivative(tf.tensor1d(values)).dataSync());
            expect(found, `derivative ${order} at ${values}`).toBeAllClose(
              wanted.map((numbers) => numbers[order]!),
              { absolute },
            );
            derivative = derivativeOf(derivative);
          });
        });
      }),
    );
  });

  it('computes its formula at infinity, and lets NaN through', () => {
    const module = make();
    const values = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    const x = tf.tensor1d([...values, Number.NaN]);
    const y = module.call(x);
    expect(y).toBeAllClose([...values.map(f), Number.NaN]);
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

describe('Softplus', () => {
  it.each([
    [1, 20],
    [2, 3],
    [0.1, -5],
  ])('with beta %d is exactly the identity above its threshold %d', (beta, threshold) => {
    const module = new Softplus(beta, threshold);
    const values = [threshold / beta + 1e-2, 1e4, 1e10, 1e30, 3e38, Number.POSITIVE_INFINITY].map(
      Math.fround,
    );
    tf.tidy(() => {
      const x = tf.tensor1d(values);
      const first = tf.grad((z) => module.call(z));
      const second = tf.grad(first);
      expect(Array.from(module.call(x).dataSync())).toEqual(values);
      expect(Array.from(first(x).dataSync())).toEqual(values.map(() => 1));
      expect(Array.from(second(x).dataSync(), Math.abs)).toEqual(values.map(() => 0));
    });
  });
});

describe('Softsign', () => {
  it('is odd and curved next to 0, also where float32 is small', () => {
    tf.tidy(() => {
      const x = tf.tensor1d([-1e-5, -1e-8, -1e-30, 0, 1e-30, 1e-8, 1e-5]);
      const curvature = tf.grad(tf.grad((z) => new Softsign().call(z)))(x);
      expect(curvature).toBeAllClose([2, 2, 2, 0, -2, -2, -2], { absolute: 1e-4 });
    });
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
    ['CELU', new CELU(0.7), 1],
    ['SELU', new SELU(), scale * alpha],
    ['ReLU6', new ReLU6(), 0],
    ['Softshrink(0)', new Softshrink(0), 0],
    ['Threshold(0, 1)', new Threshold(0, 1), 0],
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
    [() => new Softplus(1, Number.POSITIVE_INFINITY), 'Softplus: threshold is Infinity'],
    [() => new CELU(0), 'CELU: alpha is 0'],
    [() => new Hardtanh(1, 1), 'Hardtanh: minVal is 1 and maxVal is 1, minVal must be below maxVal'],
    [() => new Hardtanh(-1, Number.NaN), 'Hardtanh: maxVal is NaN'],
    [() => new Softshrink(-0.1), 'Softshrink: lambd is -0.1, it must not be negative'],
    [() => new Hardshrink(null as never), 'Hardshrink: lambd is null'],
    [() => new Threshold(1, undefined as never), 'Threshold: value is undefined'],
    [() => new GELU({ approximate: 'Tanh' as never }), "one of 'none', 'tanh'. Did you mean 'tanh'?"],
    [() => new GELU('tanh' as never), 'the options are tanh, they must be an object'],
  ])('refuses what is no option (%#)', (make, message) => {
    expect(make).toThrow(
      expect.objectContaining({ code: 'OPTION', message: expect.stringContaining(message) }),
    );
  });
});
