import * as tf from '@tensorflow/tfjs-core';
import { nn, type Parametrization } from 'tfjs-parametrize';
import { parametrized, parametrizedModule } from 'tfjs-parametrize/decorators';
import { affine } from '../../parametrize/laws/specimens.ts';

// The net that the law tests run on, with one map or two on its weight, declared by decorators.

type Make = () => Parametrization;

const weight = () => nn.parameter(() => tf.randomNormal([3, 2], 0, 1, 'float32', 1));
const bias = () => nn.parameter(() => tf.zeros([3]));

function netWithOne(make: Make) {
  @parametrizedModule
  class Net extends nn.Module {
    @parametrized(make) weight: tf.Tensor = weight();
    bias: tf.Tensor = bias();
    override forward(x: tf.Tensor): tf.Tensor {
      return affine(x, this.weight, this.bias);
    }
  }
  return new Net();
}

function netWithTwo(make: Make, then: Make) {
  @parametrizedModule
  class Net extends nn.Module {
    @parametrized(then) @parametrized(make) weight: tf.Tensor = weight();
    bias: tf.Tensor = bias();
    override forward(x: tf.Tensor): tf.Tensor {
      return affine(x, this.weight, this.bias);
    }
  }
  return new Net();
}

/** A net with maps on its weight, in the order in which they are applied. */
export const netOf = ([make, then]: readonly Make[]) =>
  then === undefined ? netWithOne(make!) : netWithTwo(make!, then);
