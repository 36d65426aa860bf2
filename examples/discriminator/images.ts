import * as tf from '@tensorflow/tfjs';
import { type Digits, imageSide, imageSize } from '../mnist/digits.ts';
import { loadDigits } from '../mnist/loadDigits.ts';
import { randomSequence } from '../mnist/randomSequence.ts';

/** Images with labels: 1 for a digit, 0 for one that was made. */
export interface Images {
  /** `[2n, 14, 14, 1]` */
  readonly images: tf.Tensor4D;
  /** `[2n, 1]` */
  readonly labels: tf.Tensor2D;
}

/**
 * Makes n digits at half their size, and n images of the upper half of one digit over the lower half of another, in
 * turn. The caller disposes the tensors.
 */
export function realAndMade(n: number): Images {
  const { training } = loadDigits(2 * n);
  const random = randomSequence(1);
  const any = (): tf.Tensor3D => imageOf(training, Math.floor(random() * training.labels.length));
  return tf.tidy(() => {
    const pairs = Array.from({ length: n }, () => {
      const [real, upper, lower] = [any(), any(), any()];
      const middle = imageSide / 2;
      return [real, tf.concat([upper.slice(0, middle), lower.slice(middle)])];
    });
    const images = tf.stack(pairs.flat()) as tf.Tensor4D;
    const labels = tf.tensor2d(Array.from({ length: 2 * n }, (_, i) => [1 - (i % 2)]));
    return { images: tf.avgPool(images, 2, 2, 'valid'), labels };
  });
}

function imageOf({ images }: Digits, digit: number): tf.Tensor3D {
  return tf.tensor3d(images.slice(digit * imageSize, (digit + 1) * imageSize), [imageSide, imageSide, 1]);
}
