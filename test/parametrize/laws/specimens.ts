import * as tf from '@tensorflow/tfjs-core';
import {
  Dora,
  Lora,
  type LoraOptions,
  nn,
  Orthogonal,
  type OrthogonalOptions,
  Parametrization,
  SpectralNorm,
  WeightNorm,
} from '../../../src/index.ts';

/** Pure, with a parameter of its own and a value that depends on the mode: `W = X · scale · (training ? 1 : 2)`. */
class Scaled extends Parametrization {
  scale: tf.Tensor = nn.parameter(() => tf.scalar(1.5));

  override forward(X: tf.Tensor): tf.Tensor {
    return tf.mul(X, tf.mul(this.scale, this.training ? 1 : 2));
  }

  override rightInverse(W: tf.Tensor): tf.Tensor {
    return tf.div(W, tf.mul(this.scale, this.training ? 1 : 2));
  }

  override isPure(): boolean {
    return true;
  }
}

/** Stateful in training, like a power iteration: counts its evaluations in a buffer, `W = X · (1 + count / 10)`. */
export class Counting extends Parametrization {
  count: tf.Tensor = nn.buffer(() => tf.scalar(0));

  override forward(X: tf.Tensor): tf.Tensor {
    if (this.training) (this.count as tf.Variable).assign(tf.add(this.count, 1));
    return tf.mul(X, tf.add(1, tf.div(tf.clone(this.count), 10)));
  }

  override rightInverse(W: tf.Tensor): tf.Tensor {
    return tf.div(W, tf.add(1, tf.div(this.count, 10)));
  }

  override isPure(): boolean {
    return !this.training;
  }
}

/** Random in training, like DropConnect: every evaluation draws a mask, from a sequence that two instances share. */
export class Masked extends Parametrization {
  draws = 0;

  override forward(X: tf.Tensor): tf.Tensor {
    if (!this.training) return tf.mul(X, 0.75);
    return tf.mul(X, tf.randomUniform(X.shape, 0.5, 1, 'float32', ++this.draws));
  }

  override rightInverse(W: tf.Tensor): tf.Tensor {
    return tf.clone(W);
  }

  override isPure(): boolean {
    return !this.training;
  }
}

/** Spectral norm that begins with the vectors of some other matrix, always the same ones. */
function spectral(): SpectralNorm {
  nn.manualSeed(5);
  const weight = tf.tensor2d([1, -2, 0.5, 3, -1, 2], [3, 2]);
  const map = new SpectralNorm(weight);
  weight.dispose();
  return map;
}

/** An orthogonal map that adds the same random column to every value, so that two instances can be compared. */
class Seeded extends Orthogonal {
  override rightInverse(W: tf.Tensor): tf.Tensor {
    nn.manualSeed(6);
    return super.rightInverse!(W);
  }
}

function orthogonalMap(options: OrthogonalOptions): Orthogonal {
  const weight = tf.zeros([3, 2]);
  const map = new Seeded(weight, options);
  weight.dispose();
  return map;
}

/** An adapter that begins with a change, always the same one. */
function adapter<M extends Lora | Dora>(type: new (weight: tf.Tensor, options: LoraOptions) => M): M {
  nn.manualSeed(8);
  const weight = tf.ones([3, 2]);
  const map = new type(weight, { rank: 1 });
  weight.dispose();
  write(map.lora_B.get('default')!, () => tf.tensor2d([0.5, -1, 0.25], [3, 1]));
  return map;
}

/** The chains that the law tests run on: what makes each map, in the order of registration. */
export const specimens: Record<string, readonly (() => Parametrization)[]> = {
  weightNorm: [() => new WeightNorm()],
  'weightNorm, one norm': [() => new WeightNorm({ dim: null })],
  scaled: [() => new Scaled()],
  'weightNorm, then scaled': [() => new WeightNorm(), () => new Scaled()],
  counting: [() => new Counting()],
  masked: [() => new Masked()],
  'counting, then masked': [() => new Counting(), () => new Masked()],
  spectralNorm: [spectral],
  'weightNorm, then spectralNorm': [() => new WeightNorm(), spectral],
  orthogonal: [() => orthogonalMap({})],
  'orthogonal without trivialization': [() => orthogonalMap({ useTrivialization: false })],
  'weightNorm, then orthogonal': [() => new WeightNorm(), () => orthogonalMap({ orthogonalMap: 'cayley' })],
  lora: [() => adapter(Lora)],
  dora: [() => adapter(Dora)],
  'weightNorm, then lora': [() => new WeightNorm(), () => adapter(Lora)],
};

/** The chains among them whose value is a function of their dependencies in every mode. */
export const pureSpecimens: string[] = [
  'weightNorm',
  'weightNorm, one norm',
  'scaled',
  'weightNorm, then scaled',
  'orthogonal',
  'orthogonal without trivialization',
  'weightNorm, then orthogonal',
  'lora',
  'weightNorm, then lora',
];

/** A linear layer, small enough to compare number by number. */
export class Net extends nn.Module {
  weight: tf.Tensor;
  bias: tf.Tensor;

  constructor(seed = 1) {
    super();
    this.weight = nn.parameter(() => tf.randomNormal([3, 2], 0, 1, 'float32', seed));
    this.bias = nn.parameter(() => tf.zeros([3]));
  }

  forward(x: tf.Tensor): tf.Tensor {
    return affine(x, this.weight, this.bias);
  }
}

/** `x Wᵀ + b`. */
export const affine = (x: tf.Tensor, W: tf.Tensor, b: tf.Tensor): tf.Tensor =>
  tf.add(tf.matMul(x as tf.Tensor2D, W as tf.Tensor2D, false, true), b);

/**
 * The optimizers of tfjs, with rates at which a few steps stay small. The centered RMSProp of tfjs subtracts ε from the variance,
 * of which it takes the root: a negative ε keeps small gradients from becoming NaN.
 */
export const optimizers: Record<string, () => tf.Optimizer> = {
  sgd: () => tf.train.sgd(0.05),
  momentum: () => tf.train.momentum(0.02, 0.9),
  adagrad: () => tf.train.adagrad(0.05),
  adadelta: () => tf.train.adadelta(0.5),
  adam: () => tf.train.adam(0.02),
  adamax: () => tf.train.adamax(0.02),
  rmsprop: () => tf.train.rmsprop(0.01, 0.9, 0.5, -1e-4, true),
};

/** Disposes an optimizer, and what the momentum optimizer of tfjs forgets. */
export function disposeOptimizer(optimizer: tf.Optimizer): void {
  optimizer.dispose();
  (optimizer as unknown as { c?: tf.Tensor }).c?.dispose();
}

/** Writes a variable without leaving the written tensor behind. */
export function write(variable: tf.Tensor, make: () => tf.Tensor): void {
  tf.tidy(() => {
    (variable as tf.Variable).assign(make());
  });
}
