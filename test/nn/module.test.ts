import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { Module, parameter } from '../../src/nn/index.ts';

class Scale extends Module {
  weight: tf.Tensor = parameter(() => tf.tensor1d([1, 2]));
  forward(x: tf.Tensor): tf.Tensor {
    return tf.mul(x, this.weight);
  }
}

describe('Module', () => {
  it('runs forward and frees the intermediate tensors', () => {
    const scale = new Scale();
    const x = tf.tensor1d([3, 4]);
    const y = scale.call(x);
    expect(y).toBeAllClose([3, 8]);
    tf.dispose([x, y]);
    scale.dispose();
  });
});
