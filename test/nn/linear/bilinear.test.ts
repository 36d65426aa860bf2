import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Bilinear, type BilinearOptions, manualSeed } from '../../../src/nn/index.ts';
import { example, expectGradients } from '../gradientCheck.ts';
import { statistics } from '../init/statistics.ts';

const size = fc.integer({ min: 1, max: 4 });

describe('Bilinear', () => {
  it('computes what its definition says, under any leading axes', () => {
    const arbitrary = fc.tuple(
      size,
      size,
      size,
      fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
      fc.boolean(),
    );
    fc.assert(
      fc.property(arbitrary, ([n1, n2, out, leading, bias]) => {
        const layer = new Bilinear(n1, n2, out, { bias });
        const [x1, x2] = [tf.randomNormal([...leading, n1]), tf.randomNormal([...leading, n2])];
        const y = layer.call(x1, x2);
        expect(y.shape).toEqual([...leading, out]);
        const [a, b, w] = [x1.dataSync(), x2.dataSync(), layer.weight.dataSync()];
        const c = layer.bias?.dataSync();
        const wanted = Array.from({ length: y.size }, (_, at) => {
          const [row, k] = [Math.floor(at / out), at % out];
          let sum = c?.[k] ?? 0;
          for (let i = 0; i < n1; i++) {
            for (let j = 0; j < n2; j++)
              sum += a[row * n1 + i]! * w[(k * n1 + i) * n2 + j]! * b[row * n2 + j]!;
          }
          return sum;
        });
        expect(Array.from(y.dataSync())).toBeAllClose(wanted, { absolute: 1e-5 });
        tf.dispose([x1, x2, y]);
        layer.dispose();
      }),
      { numRuns: 50 },
    );
  });

  it('can be differentiated twice by inputs, weight and bias', () => {
    manualSeed(1);
    const layer = new Bilinear(3, 2, 2);
    const [x1, x2] = [example([2, 3]), example([2, 2], 0.5)];
    expectGradients(() => layer.call(x1, x2), [x1, x2, ...layer.parameters()]);
    tf.dispose([x1, x2]);
    layer.dispose();
  });

  it('takes the same tensor twice, a quadratic form', () => {
    const layer = new Bilinear(2, 2, 1, { bias: false });
    const x = example([2]);
    expectGradients(() => layer.call(x, x), [x]);
    x.dispose();
    layer.dispose();
  });

  it('gives its weights gradients of zero for a batch of nothing', () => {
    const layer = new Bilinear(3, 2, 40);
    tf.tidy(() => {
      // Memory that is not zero, which wasm gives to the next tensors.
      tf.tidy(() => Array.from({ length: 400 }, (_, n) => tf.fill([1 + (n % 100)], 7)).length);
      const { grads } = tf.variableGrads(
        () => tf.sum(layer.call(tf.zeros([0, 3]), tf.zeros([0, 2]))),
        layer.parameters(),
      );
      for (const variable of layer.parameters()) {
        expect(grads[variable.name]!).toBeAllClose(tf.zerosLike(variable));
      }
    });
    layer.dispose();
  });

  it("begins with torch's uniform distribution, whose bound is that of the first input", () => {
    manualSeed(0);
    const layer = new Bilinear(25, 7, 40);
    for (const parameter of layer.parameters()) {
      const { min, max } = statistics(parameter);
      expect([min, max]).toBeAllClose([-0.2, 0.2], { absolute: 0.02 });
      expect(Math.max(-min, max)).toBeLessThanOrEqual(Math.fround(0.2));
    }
    layer.dispose();
  });

  it("has torch's keys and printed form", () => {
    const [layer, plain] = [new Bilinear(2, 3, 4), new Bilinear(2, 3, 4, { bias: false })];
    expect(Object.entries(layer.stateDict()).map(([key, { shape }]) => `${key} ${shape}`)).toEqual([
      'weight 4,2,3',
      'bias 4',
    ]);
    expect(Object.keys(plain.stateDict())).toEqual(['weight']);
    expect(layer.toString()).toBe('Bilinear(in1Features=2, in2Features=3, outFeatures=4, bias=true)');
    expect(plain.toString()).toBe('Bilinear(in1Features=2, in2Features=3, outFeatures=4, bias=false)');
    layer.dispose();
    plain.dispose();
  });

  it.each([
    ['a first input of another size', [5, 3], [5, 3]],
    ['a second input of another size', [5, 2], [5, 2]],
    ['leading axes that would have to be broadcast', [5, 2], [1, 3]],
    ['leading axes of another number', [2], [5, 3]],
    ['a scalar', [], [3]],
  ])('refuses %s', (_what, shape1, shape2) => {
    const layer = new Bilinear(2, 3, 4);
    const [x1, x2] = [tf.zeros(shape1), tf.zeros(shape2)];
    expect(() => layer.call(x1, x2)).toThrow(
      expect.objectContaining({
        code: 'SHAPE',
        message: expect.stringContaining(
          `the inputs have shapes [${shape1.join(', ')}] and [${shape2.join(', ')}], they must have 2 (in1Features) and 3 (in2Features)`,
        ),
      }),
    );
    tf.dispose([x1, x2]);
    layer.dispose();
  });

  it('refuses sizes that are no positive integers, and options that it does not have', () => {
    const make = (options: object) => () => new Bilinear(2, 3, 4, options as BilinearOptions);
    expect(() => new Bilinear(0, 3, 4)).toThrow('in1Features is 0');
    expect(() => new Bilinear(2, 1.5, 4)).toThrow('in2Features is 1.5');
    expect(() => new Bilinear(2, 3, -1)).toThrow('outFeatures is -1');
    expect(make({ bais: true })).toThrow("'bais' is not an option. Did you mean 'bias'?");
    expect(make({ bias: 'false' })).toThrow(expect.objectContaining({ code: 'OPTION' }));
  });
});
