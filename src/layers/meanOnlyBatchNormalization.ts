import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers } from '@tensorflow/tfjs-layers';
import { axisIn } from '../core/axes.ts';
import { type ParametrizeError, refusal } from '../core/errors.ts';
import { formatShape } from '../core/shapes.ts';
import type { LayerVariable } from '../engine/layerVariable.ts';

type LayerArgs = NonNullable<ConstructorParameters<typeof layers.Layer>[0]>;

/** Arguments of {@link MeanOnlyBatchNormalization}. */
export interface MeanOnlyBatchNormalizationArgs extends LayerArgs {
  /** The axis of the channels. Default -1. */
  axis?: number;
  /** The part of the moving mean that a batch leaves; as of `tf.layers.batchNormalization`. Default 0.99. */
  momentum?: number;
}

/**
 * Takes the mean of each channel over the batch away and adds a bias, as a layer of tf.layers.
 *
 * `y = x − μ + β`; in training μ is the mean of the batch over all axes but `axis`, else the moving mean
 *
 * @remarks
 * **Shape**: any with a defined size of `axis`; the output has the input's.
 * **State**: `beta` (zeros); `moving_mean` (zeros), not trained. Each training step moves it:
 * `moving = momentum·moving + (1 − momentum)·μ`.
 * **Gradient**: with respect to input and beta.
 *
 * Importing `tfjs-parametrize/layers` registers the class for serialization: a program that loads a saved model imports
 * it.
 *
 * @example
 * ```ts
 * model.add(tf.layers.dense({ units: 16, useBias: false }));
 * model.add(new MeanOnlyBatchNormalization());
 * model.add(tf.layers.activation({ activation: 'relu' }));
 * ```
 * @see Salimans and Kingma 2016, section 4; `MeanOnlyBatchNorm1d` of nn
 */
export class MeanOnlyBatchNormalization extends layers.Layer {
  /** The name in saved models. */
  static className = 'MeanOnlyBatchNormalization';

  private readonly axis: number;
  private readonly momentum: number;
  private beta!: LayerVariable;
  private movingMean!: LayerVariable;

  /** @throws {@link ParametrizeError} `OPTION` if axis is not an integer or momentum is not from 0 to 1 */
  constructor({ axis = -1, momentum = 0.99, ...args }: MeanOnlyBatchNormalizationArgs = {}) {
    super(args);
    if (!Number.isInteger(axis) || !(momentum >= 0 && momentum <= 1)) {
      throw refusal(
        'OPTION',
        MeanOnlyBatchNormalization.className,
        `axis is ${String(axis)} and momentum is ${String(momentum)}`,
        'Pass an integer and a number from 0 to 1.',
      );
    }
    this.axis = axis;
    this.momentum = momentum;
    this.supportsMasking = true;
  }

  override build(inputShape: (number | null)[] | (number | null)[][]): void {
    const shape = (Array.isArray(inputShape[0]) ? inputShape[0] : inputShape) as (number | null)[];
    const size = shape[axisIn(this.axis, shape.length) ?? -1];
    if (size == null) {
      throw refusal(
        'SHAPE',
        MeanOnlyBatchNormalization.className,
        `the input has shape ${formatShape(shape.map((one) => one ?? Number.NaN)).replaceAll('NaN', 'null')}, without a size of axis ${this.axis}`,
        'Give the model an input shape with the channels, or another axis.',
      );
    }
    const zeros = initializers.zeros();
    this.beta = this.addWeight('beta', [size], 'float32', zeros, undefined, true) as unknown as LayerVariable;
    this.movingMean = this.addWeight(
      'moving_mean',
      [size],
      'float32',
      zeros,
      undefined,
      false,
    ) as unknown as LayerVariable;
    super.build(inputShape as never);
  }

  override computeOutputShape(inputShape: never): never {
    return inputShape;
  }

  override call(inputs: Tensor | Tensor[], kwargs: { training?: boolean }): Tensor {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? inputs[0]! : inputs;
      const axis = axisIn(this.axis, x.rank)!;
      const others = x.shape.map((_, i) => i).filter((i) => i !== axis);
      const spread = (values: Tensor): Tensor =>
        tf.reshape(
          values,
          x.shape.map((size, i) => (i === axis ? size : 1)),
        );
      const training = kwargs?.training === true;
      const mean = training ? tf.mean(x, others) : this.movingMean.read();
      const y = tf.add(tf.sub(x, spread(mean)), spread(this.beta.read()));
      if (training) {
        const moving = this.movingMean.read();
        this.movingMean.write(tf.add(tf.mul(moving, this.momentum), tf.mul(mean, 1 - this.momentum)));
      }
      return y;
    });
  }

  override getConfig(): ReturnType<layers.Layer['getConfig']> {
    return { ...super.getConfig(), axis: this.axis, momentum: this.momentum };
  }
}
