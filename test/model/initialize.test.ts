import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { initialize, nn, orthogonal, registerParametrization, valueOf, weightNorm } from '../../src/index.ts';
import '../../src/layers/index.ts';
import { failure } from '../parametrize/unchanged.ts';

const ones = (shape: number[]): tf.Tensor => tf.ones(shape);

describe('initialize', () => {
  it('gives plain and parametrized tensors the value of the initializer, in their own variables', () => {
    const layer = new nn.Linear(2, 3);
    const [weight, bias] = [layer.weight, layer.bias];
    expect(initialize(layer, 'weight', ones)).toBe(layer);
    expect(layer.weight).toBe(weight);
    expect(layer.weight).toBeAllClose(
      tf.tidy(() => [
        [1, 1],
        [1, 1],
        [1, 1],
      ]),
    );
    weightNorm(layer);
    const { g } = layer.parametrizations!.weight as unknown as { g: tf.Tensor };
    initialize(layer, 'weight', (shape) => tf.mul(tf.ones(shape), 3));
    initialize(layer, 'bias', ones);
    expect(layer.bias).toBe(bias);
    tf.tidy(() => {
      expect(layer.weight).toBeAllClose(tf.fill([3, 2], 3));
      expect(g).toBeAllClose(tf.fill([3, 1], 3 * Math.SQRT2));
    });
    layer.dispose();
  });

  it('gives a layer of tf.layers and a plain object a value', () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [3] })] });
    const dense = weightNorm(model.layers[0]! as never, 'kernel') as tf.layers.Layer;
    initialize(dense, 'kernel', ones);
    tf.tidy(() => {
      expect(valueOf(dense, 'kernel')).toBeAllClose(tf.ones([3, 2]));
    });
    const host = { w: tf.tidy(() => tf.variable(tf.zeros([2]))) };
    initialize(host, 'w', ones);
    expect(host.w).toBeAllClose([1, 1]);
    host.w.dispose();
    model.dispose();
  });

  it('is the remedy where nn.init refuses a computed tensor', () => {
    const layer = weightNorm(new nn.Linear(2, 2));
    tf.tidy(() => {
      const { weight } = layer;
      expect(failure(() => nn.init.ones(weight))).toMatchInlineSnapshot(
        `"NOT_A_VARIABLE: init.ones: a tensor of shape [2, 2] is no variable, new values in it would be lost. A parametrized tensor is computed on every read. Give it values by initialize(module, 'weight', (shape) => tf.randomNormal(shape)), or by an assignment: module.weight = value."`,
      );
    });
    initialize(layer, 'weight', (shape) => nn.init.constant(nn.parameter(tf.zeros(shape)), 2));
    tf.tidy(() => {
      expect(layer.weight).toBeAllClose(tf.fill([2, 2], 2));
    });
    const kept = tf.tidy(() => tf.variable(tf.ones([2])));
    initialize(layer, 'bias', () => kept);
    expect([...kept.dataSync(), ...layer.bias!.dataSync()]).toEqual([1, 1, 1, 1]);
    expect(failure(() => initialize(layer, 'bias', () => nn.parameter(tf.zeros([3]))))).toMatch(/^SHAPE/);
    kept.dispose();
    layer.dispose();
  });

  it('refuses what does not fit, with nothing changed', () => {
    const layer = registerParametrization(new nn.Linear(2, 2), 'weight', tf.abs);
    const code = (run: () => unknown): string => failure(run).split(':')[0]!;
    expect(code(() => initialize(layer, 'weight', ones))).toBe('RIGHT_INVERSE');
    expect(code(() => initialize(layer, 'bias', () => tf.ones([3])))).toBe('SHAPE');
    expect(code(() => initialize(layer, 'bias', () => tf.ones([2], 'int32')))).toBe('DTYPE');
    expect(code(() => initialize(layer, 'bias', () => 3 as never))).toBe('NOT_A_VARIABLE');
    expect(code(() => initialize(layer, 'bias', 'ones' as never))).toBe('NOT_A_FUNCTION');
    expect(code(() => initialize(layer, 'wieght', ones))).toBe('UNKNOWN_TENSOR');
    expect(code(() => initialize(3 as never, 'weight', ones))).toBe('UNSUPPORTED_HOST');
    layer.dispose();
    const square = orthogonal(new nn.Linear(2, 2));
    expect(() => initialize(square, 'weight', (shape) => tf.eye(shape[0]!))).not.toThrow();
    square.dispose();
  });
});
