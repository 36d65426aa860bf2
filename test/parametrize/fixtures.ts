import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { buffer, Module, parameter } from '../../src/nn/index.ts';
import { Parametrization } from '../../src/parametrize/index.ts';
import { example } from '../nn/gradientCheck.ts';

/** Fixed numbers of both signs, as a function for {@link parameter}. */
export const numbers =
  (...shape: number[]) =>
  (): Tensor => {
    const variable = example(shape);
    const tensor = tf.clone(variable as Tensor);
    variable.dispose();
    return tensor;
  };

/** A host like `torch.nn.Linear`, square so that every map of matrices fits. */
export class Affine extends Module {
  weight: Tensor = parameter(numbers(3, 3));
  bias: Tensor = parameter(numbers(3));
  override forward(x: Tensor): Tensor {
    return tf.add(tf.matMul(x as tf.Tensor2D, this.weight as tf.Tensor2D, false, true), this.bias);
  }
}

/** `2x`: the simplest map with an inverse. Counts its evaluations. */
export class Double extends Parametrization {
  calls = 0;
  override forward(x: Tensor): Tensor {
    this.calls++;
    return tf.mul(x, 2);
  }
  override rightInverse(y: Tensor): Tensor {
    return tf.div(y, 2);
  }
}

/** `x + 1`, which does not commute with {@link Double}. */
export class AddOne extends Parametrization {
  override forward(x: Tensor): Tensor {
    return tf.add(x, 1);
  }
  override rightInverse(y: Tensor): Tensor {
    return tf.sub(y, 1);
  }
}

/** `x - xᵀ`, without an inverse: a registration changes the value. */
export class SkewPart extends Parametrization {
  override forward(x: Tensor): Tensor {
    return tf.sub(x, tf.transpose(x));
  }
  override isPure(): boolean {
    return true;
  }
}

/** `s · x` with a parameter s and a buffer that counts the training reads. */
export class Scaled extends Parametrization {
  scale: Tensor = parameter(tf.scalar(3));
  count: Tensor = buffer(tf.scalar(0));
  override forward(x: Tensor): Tensor {
    if (this.training) (this.count as Variable).assign(tf.add(this.count, 1));
    return tf.mul(x, this.scale);
  }
  override rightInverse(y: Tensor): Tensor {
    return tf.div(y, this.scale);
  }
}

/** `x₀ · x₁ᵀ` from two vectors; the inverse is the closest matrix of rank one. */
export class RankOne extends Parametrization {
  override forward(x: Tensor, y: Tensor): Tensor {
    // No matMul: on wasm it goes wrong when its second operand was one before in another shape, as `right` was below.
    return tf.mul(tf.reshape(x, [-1, 1]), tf.reshape(y, [1, -1]));
  }
  override rightInverse(matrix: Tensor): Tensor[] {
    const product = (a: Tensor, b: Tensor, transposed = false): Tensor =>
      tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D, transposed);
    const unit = (x: Tensor): Tensor => tf.div(x, tf.norm(x));
    let right: Tensor = unit(tf.ones([matrix.shape[1]!, 1]));
    for (let i = 0; i < 30; i++) right = unit(product(matrix, product(matrix, right), true));
    return [tf.reshape(product(matrix, right), [-1]), tf.reshape(right, [-1])];
  }
}

/** Three originals of the tensor's shape whose sum it is. */
export class SumOfThree extends Parametrization {
  override forward(a: Tensor, b: Tensor, c: Tensor): Tensor {
    return tf.addN([a, b, c]);
  }
  override rightInverse(x: Tensor): Tensor[] {
    return [tf.mul(x, 0.5), tf.mul(x, 0.25), tf.mul(x, 0.25)];
  }
}

/** Runs `fn` and frees every tensor that it makes. */
export const inTidy = <T>(fn: () => T): T => {
  let result: T;
  tf.tidy(() => {
    result = fn();
  });
  return result!;
};

/** The value of a tensor of a host, as plain numbers, without leaving a tensor behind. */
export const read = (host: object, name = 'weight'): unknown =>
  inTidy(() => ((host as Record<string, unknown>)[name] as Tensor).arraySync());

/** The variable that stands in a field. */
export const variableOf = (host: object, name = 'weight'): Variable =>
  Object.getOwnPropertyDescriptor(host, name)!.value as Variable;

/** One step of gradient descent on `Σ call(1)²`, by default with a new plain optimizer. */
export function train(model: Module, optimizer?: tf.Optimizer): void {
  const used = optimizer ?? tf.train.sgd(0.01);
  const x = tf.ones([2, 3]);
  used.minimize(() => tf.sum(tf.square(model.call(x) as Tensor)) as tf.Scalar, false, model.parameters());
  x.dispose();
  if (used !== optimizer) used.dispose();
}
