import * as tf from '@tensorflow/tfjs-core';
import { isParametrized, nn, symmetric, weightNorm } from 'tfjs-parametrize';
import { parametrized } from 'tfjs-parametrize/decorators';

// `accessor` fields, which standard decorators alone know.

const matrix = () =>
  nn.parameter(() =>
    tf.tensor2d([
      [3, 4],
      [6, 8],
    ]),
  );

export class Accessors extends nn.Module {
  first: tf.Tensor = nn.parameter(() => tf.ones([1]));
  @parametrized(symmetric) @parametrized(weightNorm) accessor weight: tf.Tensor = matrix();
  seenByNextField = isParametrized(this, 'weight');
  @parametrized(weightNorm) accessor linear = new nn.Linear(2, 2);
  @parametrized(weightNorm) accessor later: tf.Tensor | null = null;
  last: tf.Tensor = nn.parameter(() => tf.ones([1]));
  override forward(x: tf.Tensor): tf.Tensor {
    return this.linear.call(tf.matMul(x as tf.Tensor2D, this.weight as tf.Tensor2D));
  }
}

export const mistakes = {
  redeclared(): nn.Module {
    class Redeclaring extends Accessors {
      override accessor weight: tf.Tensor = matrix();
    }
    return new Redeclaring();
  },
  decoratedInBoth(): void {
    class Again extends Accessors {
      @parametrized(symmetric) override accessor weight: tf.Tensor = matrix();
    }
    new Again();
  },
  privateField(): unknown {
    class Wrong {
      // @ts-expect-error a private field cannot be redefined
      @parametrized(weightNorm) #weight: number = 1;
      read(): unknown {
        return this.#weight;
      }
    }
    return Wrong;
  },
};
