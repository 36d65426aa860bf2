import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { direction } from '../../ops/norm/direction.ts';
import { isZero } from '../../ops/norm/norm.ts';
import { scaleToOne } from '../../ops/norm/scaleToOne.ts';
import type { Arithmetic } from './arithmetic.ts';

/** The arithmetic of tensors: float32, on the backend in use. */
export const tensorArithmetic: Arithmetic<Tensor> = {
  unit: (x, axes) => direction(x, axes, 0).unit,
  scaled: scaleToOne,
  mul: (x, y) => tf.mul(x, y),
  div: (x, y) => tf.div(x, tf.add(y, isZero(tf.abs(y)))),
  sumOfProduct: (x, y, axes) => tf.sum(tf.mul(x, y), [...axes], true),
  reshape: (x, shape) => tf.reshape(x, [...shape]),
  largest: (items, sizes) =>
    items.length === 1
      ? items[0]!
      : tf.gather(
          tf.stack([...items]),
          tf.argMax(tf.abs(tf.stack(sizes.map((size) => tf.reshape(size, []))))),
        ),
};
