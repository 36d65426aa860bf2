import * as tf from '@tensorflow/tfjs-core';
import type { Program } from './instructions.ts';

/**
 * The optimizers of tfjs, with an ε that keeps what is a rounding error of zero from becoming a step. RMSProp is not
 * centered: tfjs then takes the root of a variance that rounding makes negative.
 */
export function makeOptimizer(name: Program['optimizer']): tf.Optimizer {
  switch (name) {
    case 'sgd':
      return tf.train.sgd(0.05);
    case 'momentum':
      return tf.train.momentum(0.02, 0.9);
    case 'adagrad':
      return tf.train.adagrad(0.05);
    case 'adadelta':
      return tf.train.adadelta(0.5, 0.9, 1e-2);
    case 'adam':
      return tf.train.adam(0.02, 0.9, 0.99, 1e-2);
    case 'adamax':
      return tf.train.adamax(0.02, 0.9, 0.99, 1e-2);
    case 'rmsprop':
      return tf.train.rmsprop(0.01, 0.9, 0.5, 1e-2);
  }
}

/** An optimizer that can't mix up the state of variables: each has a tfjs optimizer of its own. */
export class ReferenceOptimizer {
  private optimizers = new Map<tf.Variable, tf.Optimizer>();
  /** Steps with no variables: a new variable of Adam starts at its step count. */
  private readonly clock: tf.Optimizer;

  constructor(private readonly name: Program['optimizer']) {
    this.clock = makeOptimizer(name);
  }

  /** One step of every variable; the cost. */
  step(f: () => tf.Scalar, variables: tf.Variable[]): number {
    // Outside of the tidy: the momentum optimizer keeps tensors that a tidy would dispose.
    for (const variable of variables) this.of(variable);
    return tf.tidy(() => {
      const { value, grads } = tf.engine().gradients(f, variables, undefined, true);
      variables.forEach((variable, i) => {
        const gradient = (grads[i] as tf.Tensor | null | undefined) ?? tf.zerosLike(variable);
        this.of(variable).applyGradients([{ name: variable.name, tensor: gradient }]);
      });
      this.clock.applyGradients([]);
      return value.dataSync()[0]!;
    });
  }

  /** Gives the state of old variables to new ones; of each pair the old one may be missing. */
  follow(pairs: readonly (readonly [mine: tf.Variable, old: tf.Variable | undefined])[]): void {
    const before = this.optimizers;
    this.optimizers = new Map();
    for (const [mine, old] of pairs) {
      const optimizer = old && before.get(old);
      if (optimizer === undefined) continue;
      this.optimizers.set(mine, optimizer);
      before.delete(old!);
    }
    for (const optimizer of before.values()) disposeOptimizer(optimizer);
  }

  dispose(): void {
    for (const optimizer of [...this.optimizers.values(), this.clock]) disposeOptimizer(optimizer);
  }

  private of(variable: tf.Variable): tf.Optimizer {
    const known = this.optimizers.get(variable);
    if (known !== undefined) return known;
    const optimizer = makeOptimizer(this.name);
    for (const field of ['accBeta1', 'accBeta2', 'iteration']) {
      const source = (this.clock as unknown as Record<string, tf.Variable | undefined>)[field];
      if (source !== undefined) (optimizer as unknown as Record<string, tf.Variable>)[field]!.assign(source);
    }
    this.optimizers.set(variable, optimizer);
    return optimizer;
  }
}

function disposeOptimizer(optimizer: tf.Optimizer): void {
  optimizer.dispose();
  (optimizer as unknown as { c?: tf.Tensor }).c?.dispose();
}
