import * as tf from '@tensorflow/tfjs';
import { defineParametrization, nn, Parametrization } from 'tfjs-parametrize';

/** `base + scale · delta`, where optimizers leave the base as it is. */
class Shifted extends Parametrization {
  readonly scale: number;
  delta: tf.Tensor;

  constructor(weight: tf.Tensor, { scale = 1 }: { scale?: number } = {}) {
    super();
    this.scale = scale;
    this.delta = nn.parameter(() => tf.zeros(weight.shape));
  }

  override forward(base: tf.Tensor): tf.Tensor {
    return tf.add(base, tf.mul(this.scale, this.delta));
  }

  override rightInverse(weight: tf.Tensor): tf.Tensor {
    return tf.sub(weight, tf.mul(this.scale, this.delta));
  }

  override isPure(): boolean {
    return true;
  }
}

/** Registers {@link Shifted}: a map of the user with a frozen original. */
export const shifted = defineParametrization({
  name: 'shifted',
  class: Shifted,
  options: {
    scale: { default: 1, expected: 'a finite number', accepts: (value: number) => Number.isFinite(value) },
  },
  originals: { original: { trainable: false } },
  make: ({ value }, options) => new Shifted(value, options),
});

/** A part of {@link Network}. */
export class Block extends nn.Module {
  first = new nn.Linear(3, 3);
  conv = new nn.Conv1d(2, 2, 2);
  up = new nn.ConvTranspose1d(2, 3, 2);
  image = new nn.Conv2d(1, 2, 2);
  words = new nn.Embedding(4, 3);
  memory = new nn.GRU(2, 2);
  norm = new nn.BatchNorm1d(2);
  last = new nn.Linear(3, 3, { bias: false });

  forward(x: tf.Tensor): tf.Tensor {
    return this.last.call(tf.tanh(this.first.call(x)));
  }
}

/** A module of more than 50 layers of many kinds. One block stands at two places. */
export class Network extends nn.Module {
  blocks: nn.ModuleList;
  again: Block;
  head = new nn.Linear(3, 2);

  constructor(count = 7) {
    super();
    this.blocks = new nn.ModuleList(Array.from({ length: count }, () => new Block()));
    this.again = this.blocks.children()[0] as Block;
  }

  forward(x: tf.Tensor): tf.Tensor {
    return this.head.call(
      this.blocks.children().reduce((value: tf.Tensor, block) => (block as Block).call(value), x),
    );
  }
}

/** A compiled model of tf.layers of about 50 layers, whose optimizer has moments. Every weight has a constraint. */
export async function layersNetwork(count = 48): Promise<tf.Sequential> {
  const kernelConstraint = (i: number) =>
    [tf.constraints.unitNorm({}), tf.constraints.maxNorm({ maxValue: 1 }), tf.constraints.nonNeg()][i % 3]!;
  const shared = { activation: 'tanh' as const };
  const model = tf.sequential({
    layers: [
      tf.layers.inputLayer({ inputShape: [4, 3] }),
      tf.layers.conv1d({ filters: 3, kernelSize: 2, name: 'conv', kernelConstraint: kernelConstraint(0) }),
      tf.layers.bidirectional({ layer: tf.layers.lstm({ units: 2 }) as tf.RNN, name: 'both' }),
      tf.layers.batchNormalization({ name: 'norm' }),
      ...Array.from({ length: count }, (_, i) =>
        tf.layers.dense({ units: 4, name: `dense${i}`, kernelConstraint: kernelConstraint(i), ...shared }),
      ),
      tf.layers.dense({ units: 1, name: 'out', kernelConstraint: tf.constraints.maxNorm({}) }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(0.01), loss: 'meanSquaredError' });
  return model;
}
