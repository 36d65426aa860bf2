import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PReLU } from '../../../src/nn/index.ts';
import { example, expectGradients } from '../gradientCheck.ts';

describe('PReLU', () => {
  it("has one weight of 0.25 by default, as torch's", () => {
    const layer = new PReLU();
    expect(Object.keys(layer.stateDict())).toEqual(['weight']);
    expect(layer.weight).toBeAllClose([0.25]);
    expect(layer.weight.shape).toEqual([1]);
    expect(layer.toString()).toBe('PReLU(numParameters=1)');
    layer.dispose();
  });

  it('fills the weights with init', () => {
    const layer = new PReLU(3, -2);
    expect(layer.weight).toBeAllClose([-2, -2, -2]);
    expect(layer.toString()).toBe('PReLU(numParameters=3)');
    layer.dispose();
  });

  it('gives each channel, axis 1, its own slope in any rank', () => {
    const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 5 });
    fc.assert(
      fc.property(shapes, (shape) => {
        const channels = shape[1]!;
        const layer = new PReLU(channels);
        tf.tidy(() => {
          const slopes = Array.from({ length: channels }, (_, i) => 0.1 + 0.2 * i);
          layer.loadStateDict({ weight: tf.tensor1d(slopes) });
          const x = example(shape);
          const inner = tf.util.sizeFromShape(shape.slice(2));
          const wanted = Array.from(x.dataSync(), (value, i) =>
            value > 0 ? value : slopes[Math.floor(i / inner) % channels]! * value,
          );
          const y = layer.call(x);
          expect(y.shape).toEqual(shape);
          expect(Array.from(y.dataSync())).toBeAllClose(wanted);
          x.dispose();
        });
        layer.dispose();
      }),
    );
  });

  it.each([[[]], [[3]], [[2, 3]], [[0, 4]]])('takes shape %o with one parameter', (shape: number[]) => {
    const layer = new PReLU(1, 0.5);
    tf.tidy(() => {
      const y = layer.call(tf.fill(shape, -3));
      expect(y.shape).toEqual(shape);
      expect(Array.from(y.dataSync())).toEqual(new Array(tf.util.sizeFromShape(shape)).fill(-1.5));
    });
    layer.dispose();
  });

  it.each<[number, number[]]>([
    [1, [5]],
    [1, [2, 3, 2]],
    [3, [2, 3]],
    [3, [2, 3, 2, 1]],
  ])(
    'with %i parameters can be differentiated twice, in the weight and mixed, on %o',
    (parameters, shape) => {
      const layer = new PReLU(parameters);
      const x = example(shape);
      expectGradients(() => layer.call(x), [x, layer.weight as tf.Variable]);
      x.dispose();
      layer.dispose();
    },
  );

  it('has 1 as the derivative in x and w at and below 0, and 0 above', () => {
    const layer = new PReLU(2, 0.3);
    const weight = layer.weight as tf.Variable;
    tf.tidy(() => {
      const x = tf.tensor2d([-4, -1e-30, 0, 1e-30, 5, 6], [3, 2]);
      const inX = tf.grad((z: tf.Tensor) => layer.call(z));
      expect(inX(x)).toBeAllClose([0.3, 0.3, 0.3, 1, 1, 1]);
      expect(gradientInWeight(layer, weight, x)).toBeAllClose([-4, -1e-30]);
      const inWeightThenX = tf.grad((z: tf.Tensor) => gradientInWeight(layer, weight, z));
      expect(inWeightThenX(x)).toBeAllClose([1, 1, 1, 0, 0, 0]);
      const { grads } = tf.variableGrads(() => tf.sum(inX(x)), [weight]);
      expect(grads[weight.name]!, 'in x, then w').toBeAllClose([2, 1]);
    });
    layer.dispose();
  });

  it('refuses an input without as many channels, and says which axis', () => {
    const layer = new PReLU(3);
    for (const shape of [[2, 4], [3], [], [2, 2, 3]]) {
      const x = tf.ones(shape);
      expect(() => layer.call(x)).toThrow(
        expect.objectContaining({
          code: 'SHAPE',
          message: expect.stringContaining(
            `PReLU: the input has shape [${shape.join(', ')}], its axis 1 must have 3 (numParameters).`,
          ),
        }),
      );
      x.dispose();
    }
    layer.dispose();
  });

  it.each([
    [() => new PReLU(0), 'PReLU: numParameters is 0'],
    [() => new PReLU(1.5), 'PReLU: numParameters is 1.5'],
    [() => new PReLU(1, Number.NaN), 'PReLU: init is NaN'],
  ])('refuses what is no option (%#)', (make, message) => {
    expect(make).toThrow(
      expect.objectContaining({ code: 'OPTION', message: expect.stringContaining(message) }),
    );
  });
});

function gradientInWeight(layer: PReLU, weight: tf.Variable, x: tf.Tensor): tf.Tensor {
  const { grads } = tf.variableGrads(() => tf.sum(layer.call(x)) as tf.Scalar, [weight]);
  return grads[weight.name]!;
}
