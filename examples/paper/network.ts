import * as tf from '@tensorflow/tfjs-core';
import { nn } from 'tfjs-parametrize';
import { classCount } from '../mnist/digits.ts';
import type { Normalization } from './methods.ts';

const width = 8;

/**
 * A small network in the form of the paper's (table A1): 3 by 3 convolutions, one of 1 by 1, an average over all
 * positions and a linear layer. Strides take the place of the max-pooling, and the digits come at half their size.
 */
export class Network extends nn.Module {
  private readonly halve = new nn.AvgPool2d(2);
  private readonly features: nn.Sequential;
  private readonly pool = new nn.AvgPool2d(4);
  private readonly head = new nn.Linear(2 * width, classCount);

  constructor(normalization: Normalization) {
    super();
    this.features = new nn.Sequential(
      ...block(normalization, 1, width, { kernelSize: 3 }),
      ...block(normalization, width, 2 * width, { kernelSize: 3, stride: 2 }),
      ...block(normalization, 2 * width, 2 * width, { kernelSize: 3 }),
      ...block(normalization, 2 * width, 2 * width, { kernelSize: 3, stride: 2 }),
      ...block(normalization, 2 * width, 2 * width, { kernelSize: 1 }),
    );
  }

  /** `[n, 1, 28, 28]` to the logits of the ten digits, `[n, 10]`. */
  forward(images: tf.Tensor): tf.Tensor {
    const pooled = this.pool.call(this.features.call(this.halve.call(images)) as tf.Tensor);
    return this.head.call(tf.reshape(pooled, [images.shape[0]!, 2 * width]));
  }
}

function block(
  normalization: Normalization,
  inputs: number,
  outputs: number,
  { kernelSize, stride = 1 }: { kernelSize: number; stride?: number },
): nn.Module[] {
  // A normalization has the bias.
  const bias = normalization === 'none';
  const conv = new nn.Conv2d(inputs, outputs, kernelSize, { stride, bias, padding: (kernelSize - 1) / 2 });
  const after = {
    none: () => [],
    mean: () => [new nn.MeanOnlyBatchNorm2d(outputs)],
    batch: () => [new nn.BatchNorm2d(outputs)],
  }[normalization]();
  return [conv, ...after, new nn.LeakyReLU(0.1)];
}
