import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { init, Linear, manualSeed, parameter } from '../../../src/nn/index.ts';
import { statistics } from './statistics.ts';

/** A parameter of zeros for as long as `use` runs. */
function withParameter<T>(shape: number[], use: (tensor: tf.Tensor) => T): T {
  const tensor: tf.Tensor = parameter(() => tf.zeros(shape));
  const result = use(tensor);
  tensor.dispose();
  return result;
}

const option = (message: string) =>
  expect.objectContaining({ code: 'OPTION', message: expect.stringContaining(message) });

/** Every random initialization, with the distribution that it must have on a `[60, 40, 2]` parameter. */
const fans = { fanIn: 80, fanOut: 120 };
const random: [
  string,
  (t: tf.Tensor, seed?: { seed: number }) => tf.Tensor,
  { std: number; bound?: number },
][] = [
  ['uniform', (t, s) => init.uniform(t, { a: -2, b: 2, ...s }), { std: 2 / Math.sqrt(3), bound: 2 }],
  ['normal', (t, s) => init.normal(t, { std: 3, ...s }), { std: 3 }],
  ['truncNormal', (t, s) => init.truncNormal(t, s), { std: 0.8796, bound: 2 }],
  [
    'xavierUniform',
    (t, s) => init.xavierUniform(t, s),
    { std: Math.sqrt(2 / 200), bound: Math.sqrt(6 / 200) },
  ],
  ['xavierNormal', (t, s) => init.xavierNormal(t, { gain: 2, ...s }), { std: 2 * Math.sqrt(2 / 200) }],
  [
    'kaimingUniform',
    (t, s) => init.kaimingUniform(t, { a: Math.sqrt(5), ...s }),
    { std: Math.sqrt(1 / 3 / fans.fanIn), bound: 1 / Math.sqrt(fans.fanIn) },
  ],
  [
    'kaimingNormal',
    (t, s) => init.kaimingNormal(t, { mode: 'fanOut', nonlinearity: 'relu', ...s }),
    { std: Math.sqrt(2 / fans.fanOut) },
  ],
];

describe.each(random)('init.%s', (_name, fill, { std, bound }) => {
  it('draws from its distribution, in place, and returns the tensor', () => {
    withParameter([60, 40, 2], (tensor) => {
      expect(fill(tensor, { seed: 0 })).toBe(tensor);
      const found = statistics(tensor);
      expect(found.std).toBeAllClose(std, { relative: 0.03 });
      expect(found.mean).toBeAllClose(0, { absolute: 0.05 * std });
      if (bound !== undefined) {
        expect(Math.max(-found.min, found.max)).toBeLessThanOrEqual(Math.fround(bound));
        expect(Math.max(-found.min, found.max)).toBeGreaterThan(0.98 * bound);
      }
    });
  });

  it('repeats for a seed, also 0, and after manualSeed', () => {
    const draw = (seed?: number) =>
      withParameter([3, 2, 2], (t) =>
        Array.from(fill(t, seed === undefined ? undefined : { seed }).dataSync()),
      );
    expect(draw(0)).toEqual(draw(0));
    expect(draw(0)).not.toEqual(draw(1));
    manualSeed(5);
    const [first, second] = [draw(), draw()];
    expect(first).not.toEqual(second);
    manualSeed(5);
    expect([draw(), draw()]).toEqual([first, second]);
  });

  it('refuses a tensor that is no variable, and one that is not float32', () => {
    const temporary = tf.zeros([3, 2, 2]);
    const integers = parameter(() => tf.zeros([3, 2, 2], 'int32'));
    expect(() => fill(temporary)).toThrow(expect.objectContaining({ code: 'NOT_A_VARIABLE' }));
    expect(() => fill(integers)).toThrow(expect.objectContaining({ code: 'DTYPE' }));
    tf.dispose([temporary, integers]);
  });

  it('refuses an unknown option and a seed that is no integer', () => {
    withParameter([3, 2, 2], (tensor) => {
      expect(() => fill(tensor, { sede: 1 } as never)).toThrow(option("Did you mean 'seed'?"));
      expect(() => fill(tensor, { seed: 0.5 })).toThrow(option('seed is 0.5'));
    });
  });
});

describe('init.truncNormal', () => {
  it('stays in [a, b] and has the mean of the truncated distribution, wherever the interval lies', () => {
    const bound = fc.double({ min: -6, max: 6, noNaN: true });
    fc.assert(
      fc.property(bound, bound, fc.nat(), (p, q, seed) => {
        const [a, b] = [Math.min(p, q) - 0.01, Math.max(p, q) + 0.01];
        withParameter([2000], (tensor) => {
          const { mean, min, max } = statistics(init.truncNormal(tensor, { mean: 0.5, std: 2, a, b, seed }));
          expect(min).toBeGreaterThanOrEqual(Math.fround(a));
          expect(max).toBeLessThanOrEqual(Math.fround(b));
          // By the trapezoidal rule.
          let [mass, moment] = [0, 0];
          for (let i = 0; i <= 1000; i++) {
            const x = a + ((b - a) * i) / 1000;
            const density = Math.exp(-(((x - 0.5) / 2) ** 2) / 2) * (i % 1000 === 0 ? 0.5 : 1);
            mass += density;
            moment += x * density;
          }
          expect(mean).toBeAllClose(moment / mass, { absolute: 0.2 });
        });
      }),
    );
  });

  it('reaches far tails', () => {
    withParameter([500], (tensor) => {
      const { mean, min, max } = statistics(init.truncNormal(tensor, { a: 20, b: 1000, seed: 1 }));
      expect(min).toBeGreaterThanOrEqual(20);
      expect(max).toBeLessThan(21);
      expect(mean).toBeAllClose(20.05, { absolute: 0.01 });
    });
  });

  it('refuses an empty interval and a std that is not positive', () => {
    withParameter([2], (tensor) => {
      expect(() => init.truncNormal(tensor, { a: 1, b: 1 })).toThrow(option('[a, b] is [1, 1]'));
      expect(() => init.truncNormal(tensor, { std: 0 })).toThrow(option('std is 0'));
      expect(() => init.truncNormal(tensor, { b: Number.POSITIVE_INFINITY })).toThrow(
        option('b is Infinity'),
      );
    });
  });
});

describe('init.constant, ones, zeros and eye', () => {
  it('fill in place', () => {
    withParameter([2, 3], (tensor) => {
      expect(init.constant(tensor, 0.5)).toBe(tensor);
      expect(tensor).toBeAllClose([0.5, 0.5, 0.5, 0.5, 0.5, 0.5].flat());
      expect(Array.from(init.ones(tensor).dataSync())).toEqual([1, 1, 1, 1, 1, 1]);
      expect(Array.from(init.eye(tensor).dataSync())).toEqual([1, 0, 0, 0, 1, 0]);
      expect(Array.from(init.zeros(tensor).dataSync())).toEqual([0, 0, 0, 0, 0, 0]);
    });
  });

  it('keep an int32 dtype', () => {
    const counter = parameter(() => tf.zeros([2, 2], 'int32'));
    expect(Array.from(init.ones(counter).dataSync())).toEqual([1, 1, 1, 1]);
    expect([init.eye(counter).dtype, ...counter.dataSync()]).toEqual(['int32', 1, 0, 0, 1]);
    counter.dispose();
  });

  it('refuse a tensor that is no variable, with the remedy', () => {
    const weight = tf.zeros([2, 2]);
    for (const fill of [init.ones, init.zeros, init.eye, (t: tf.Tensor) => init.constant(t, 1)]) {
      expect(() => fill(weight)).toThrow(
        expect.objectContaining({
          code: 'NOT_A_VARIABLE',
          message: expect.stringMatching(
            /^init\.\w+: a tensor of shape \[2, 2\] is no variable, .* initialize\(module, 'weight', .* module\.weight = value\.$/,
          ),
        }),
      );
    }
    expect(() => init.ones(null as never)).toThrow('init.ones: null is no variable');
    weight.dispose();
  });

  it('refuse a disposed parameter', () => {
    const gone = parameter(() => tf.zeros([2, 2]));
    gone.dispose();
    expect(() => init.ones(gone)).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
    expect(() => init.normal(gone)).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
  });

  it('refuse an eye that is no matrix', () => {
    withParameter([2, 2, 2], (tensor) => {
      expect(() => init.eye(tensor)).toThrow(expect.objectContaining({ code: 'SHAPE' }));
    });
  });
});

describe('init.calculateGain', () => {
  it.each([
    ['linear', undefined, 1],
    ['conv2d', undefined, 1],
    ['convTranspose3d', undefined, 1],
    ['sigmoid', undefined, 1],
    ['tanh', undefined, 5 / 3],
    ['relu', undefined, Math.SQRT2],
    ['leakyRelu', undefined, Math.sqrt(2 / 1.0001)],
    ['leakyRelu', 0.2, Math.sqrt(2 / 1.04)],
    ['selu', undefined, 0.75],
  ] as const)("of %s (%s) is torch's", (nonlinearity, slope, gain) => {
    expect(init.calculateGain(nonlinearity, slope)).toBeCloseTo(gain, 12);
  });

  it("understands torch's spelling well enough to correct it", () => {
    expect(() => init.calculateGain('leaky_relu' as never)).toThrow(option("Did you mean 'leakyRelu'?"));
    withParameter([2, 2], (tensor) => {
      expect(() => init.kaimingNormal(tensor, { mode: 'fan_in' as never })).toThrow(
        option("Did you mean 'fanIn'?"),
      );
      expect(() => init.kaimingNormal(tensor, { nonlinearity: 'gelu' as never })).toThrow(
        option("is 'gelu'"),
      );
    });
  });
});

describe('init.calculateFanInAndFanOut', () => {
  it("counts in torch's layout", () => {
    withParameter([8, 3, 5, 2], (tensor) => expect(init.calculateFanInAndFanOut(tensor)).toEqual([30, 80]));
    withParameter([8, 3], (tensor) => expect(init.calculateFanInAndFanOut(tensor)).toEqual([3, 8]));
  });

  it('refuses biases', () => {
    withParameter([8], (tensor) => {
      for (const use of [init.calculateFanInAndFanOut, init.xavierNormal, init.kaimingUniform]) {
        expect(() => use(tensor)).toThrow(
          expect.objectContaining({
            code: 'SHAPE',
            message: expect.stringContaining('the tensor has shape [8]'),
          }),
        );
      }
    });
  });
});

describe('A layer', () => {
  it('can be initialized anew, without a leak', () => {
    const layer = new Linear(3, 2);
    const variable = layer.weight;
    init.kaimingNormal(layer.weight, { nonlinearity: 'tanh' });
    init.zeros(layer.bias!);
    expect(layer.weight).toBe(variable);
    expect(layer.bias!).toBeAllClose([0, 0]);
    layer.dispose();
  });
});
