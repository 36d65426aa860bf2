import type { Optimizer, Scalar, Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkOptions } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { typeName } from '../../core/text.ts';
import { CompositeOptimizer, type GradientsByName } from '../../engine/compositeOptimizer.ts';
import { isOptimizer, learningRateOf, setLearningRate } from '../../engine/optimizerFields.ts';
import { type OptimizerParts, PARTS } from '../../engine/optimizerParts.ts';

/** Options of {@link clipGradients}: exactly one of the two. */
export interface ClipOptions {
  /** The largest norm that all gradients of a step have together. */
  readonly norm?: number;
  /** The largest absolute value of an element of a gradient. */
  readonly value?: number;
}

/**
 * Returns an optimizer that clips the gradients of each step and hands them to the given optimizer.
 *
 * With `norm`: `gᵢ ← gᵢ · min(1, norm / (‖g‖ + 10⁻⁶))`, ‖g‖ the norm of all gradients of the step together.
 * With `value`: `g ← max(−value, min(value, g))` for each element.
 *
 * @remarks
 * **State**: none of its own. It has the class name, the configuration, the learning rate and the weights of the given
 * optimizer, so that a model that is saved with its optimizer loads with the given one; wrap that again.
 *
 * **Gradient**: clipping sees the originals of parametrized tensors, as the optimizer does: of weight norm, g and v.
 *
 * **Ownership**: the given optimizer belongs to the returned one, whose `dispose` disposes it.
 *
 * It works in `compile` and `fit`, with `minimize` of tfjs and of this package, `syncOptimizer` and `syncModel`.
 *
 * @throws {@link ParametrizeError} `OPTION` if it is no optimizer, or unless exactly one limit is given and positive
 * @example
 * ```ts
 * model.compile({ optimizer: clipGradients(tf.train.adam(1e-3), { norm: 1 }), loss: 'meanSquaredError' });
 * ```
 * @see torch.nn.utils.clip_grad_norm_, torch.nn.utils.clip_grad_value_
 */
export function clipGradients<O extends Optimizer>(optimizer: O, options: ClipOptions): Optimizer {
  const caller = 'clipGradients';
  if (!isOptimizer(optimizer)) {
    throw refusal(
      'OPTION',
      caller,
      `expected an optimizer, got ${typeName(optimizer)}`,
      'Pass one of tf.train, such as tf.train.adam().',
    );
  }
  checkOptions(caller, options, ['norm', 'value']);
  const limits = Object.entries(options).filter(([, limit]) => limit !== undefined);
  if (limits.length !== 1) {
    throw refusal(
      'OPTION',
      caller,
      `${limits.length === 0 ? 'neither norm nor value is given' : 'norm and value are both given'}`,
      'Pass { norm } or { value }; wrap twice to clip by both.',
    );
  }
  const [[name, limit]] = limits as [[string, number]];
  if (!(Number.isFinite(limit) && limit > 0)) {
    throw refusal(
      'OPTION',
      caller,
      `${name} is ${String(limit)}, it must be a positive number`,
      'Pass a positive number.',
    );
  }
  return new ClippedOptimizer(optimizer, name === 'norm' ? byNorm(limit) : byValue(limit));
}

type OptimizerWeights = Awaited<ReturnType<Optimizer['getWeights']>>;

type Clip = (gradients: readonly Tensor[]) => Tensor[];

const byValue =
  (limit: number): Clip =>
  (gradients) =>
    gradients.map((gradient) => tf.clipByValue(gradient, -limit, limit));

const byNorm =
  (limit: number): Clip =>
  (gradients) => {
    if (gradients.length === 0) return [];
    const norm = tf.sqrt(tf.addN(gradients.map((gradient) => tf.sum(tf.square(gradient)))));
    const factor = tf.minimum(1, tf.div(limit, tf.add(norm, 1e-6)));
    return gradients.map((gradient) => tf.mul(gradient, factor));
  };

class ClippedOptimizer extends CompositeOptimizer {
  readonly [PARTS]: OptimizerParts;
  private readonly optimizer: Optimizer;
  private readonly clip: Clip;

  constructor(optimizer: Optimizer, clip: Clip) {
    super();
    this.optimizer = optimizer;
    this.clip = clip;
    this[PARTS] = {
      optimizers: [optimizer],
      ofStep: (variables) => [[optimizer, variables]],
      renew: (_caller, variables) => ({ parts: [[optimizer, variables]], commit: () => {} }),
    };
  }

  /** The learning rate of the given optimizer; setting it changes that. */
  get learningRate(): number {
    return learningRateOf(this.optimizer);
  }

  set learningRate(rate: number) {
    this.setLearningRate(rate);
  }

  /** Changes the learning rate of the given optimizer, as `setLearningRate` of `tf.train.sgd` does. */
  setLearningRate(rate: number): void {
    setLearningRate(this.optimizer, rate);
  }

  override computeGradients(
    loss: () => Scalar,
    variables?: Variable[],
  ): ReturnType<Optimizer['computeGradients']> {
    return this.optimizer.computeGradients(loss, variables);
  }

  protected override step(gradients: GradientsByName): void {
    const given = [...gradients].filter((entry): entry is [string, Tensor] => entry[1] != null);
    const clipped = this.clip(given.map(([, gradient]) => gradient));
    const byName = new Map(given.map(([name], i) => [name, clipped[i]!]));
    this.optimizer.applyGradients(
      [...gradients.keys()].map((name) => ({ name, tensor: byName.get(name) as Tensor })),
    );
  }

  override getClassName(): string {
    return this.optimizer.getClassName();
  }

  override getConfig(): ReturnType<Optimizer['getConfig']> {
    return this.optimizer.getConfig();
  }

  override getWeights(): Promise<OptimizerWeights> {
    return this.optimizer.getWeights();
  }

  override setWeights(weights: OptimizerWeights): Promise<void> {
    return this.optimizer.setWeights(weights);
  }
}
