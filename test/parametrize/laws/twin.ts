import * as tf from '@tensorflow/tfjs-core';
import type { Parametrization } from '../../../src/index.ts';
import type { Loss } from './losses.ts';
import { disposeOptimizer, optimizers } from './specimens.ts';

/** One evaluation in a cache scope. */
interface Entry {
  readonly numbers: number[];
  /** What it depended on. */
  readonly key: readonly unknown[];
  /** Whether a reader may hold the value. */
  readonly isHeld: boolean;
}

/**
 * The uncached twin of a parametrized `Net`: the same maps applied by hand, without any of the mechanism.
 *
 * A chain that is not pure is evaluated once per *entry* inside `cached`: the twin keeps the numbers of the last evaluation
 * and what they depended on. Each variable has an optimizer of its own, so that no state can ever be mixed up.
 */
export class Twin {
  /** The originals in order, or the plain weight alone. */
  originals: tf.Variable[];
  bias: tf.Variable;
  steps: Parametrization[] = [];
  training = true;
  /** True while a cache scope is open. */
  inScope = false;
  #entry: Entry | null = null;
  #optimizers = new Map<tf.Variable, tf.Optimizer>();
  readonly #newOptimizer: () => tf.Optimizer;
  /** Steps with no variables, to know the step count that a new variable of Adam starts at. */
  readonly #clock: tf.Optimizer;

  constructor(weight: tf.Tensor, bias: tf.Tensor, optimizer: string) {
    this.originals = [tf.variable(weight)];
    this.bias = tf.variable(bias);
    this.#newOptimizer = optimizers[optimizer]!;
    this.#clock = this.#newOptimizer();
  }

  get isPure(): boolean {
    return this.steps.every((step) => step.isPure());
  }

  /** Runs the chain now. */
  evaluate(): tf.Tensor {
    const [first, ...later] = this.steps;
    if (first === undefined) return tf.clone(this.originals[0]!);
    return tf.tidy(() =>
      later.reduce((value, step) => step.forward(value), first.forward(...this.originals)),
    );
  }

  /**
   * What a read outside of every gradient must give.
   *
   * @param reader - who gets the value: `caller` may hold it, `tidy` can't; of one in a `kernel` nothing is remembered
   */
  read(reader: 'caller' | 'tidy' | 'kernel' = 'caller'): number[] {
    if (this.isPure || !this.inScope) return numbers(() => this.evaluate());
    const entry = this.#freshEntry();
    if (reader === 'kernel') return entry?.numbers ?? numbers(() => this.evaluate());
    const now = entry ?? { numbers: numbers(() => this.evaluate()), key: this.#key(), isHeld: false };
    this.#entry = { ...now, isHeld: now.isHeld || reader === 'caller' };
    return now.numbers;
  }

  /** The value that removal leaves: without a power iteration or a draw. */
  inspect(): number[] {
    if (this.isPure) return numbers(() => this.evaluate());
    this.setTraining(false);
    const value = numbers(() => this.evaluate());
    this.setTraining(true);
    return value;
  }

  /** Called in a gradient: gives the reader of the weight there. Reads that are one entry are one evaluation. */
  readerOnTape(): () => tf.Tensor {
    if (!this.isPure && !this.inScope) return () => this.evaluate();
    const value = this.evaluate();
    // A read on a tape ends no value that somebody may hold: that is what later reads get.
    if (!this.isPure && this.#freshEntry()?.isHeld !== true) {
      this.#entry = { numbers: [...value.dataSync()], key: this.#key(), isHeld: false };
    }
    return () => value;
  }

  variables(): tf.Variable[] {
    return [...this.originals, this.bias, ...this.steps.flatMap((step) => step.parameters())];
  }

  /** One optimizer step on a loss of the weight and the bias. */
  step(loss: Loss, x: tf.Tensor): number {
    const variables = this.variables();
    const { value, grads } = tf.variableGrads(
      () => loss(x, this.readerOnTape(), this.bias, variables),
      variables,
    );
    for (const variable of variables) {
      const gradient = grads[variable.name];
      if (!variable.trainable) continue;
      this.#optimizerOf(variable).applyGradients([{ name: variable.name, tensor: gradient! }]);
    }
    this.#clock.applyGradients([]);
    const [cost] = value.dataSync();
    tf.dispose([value, grads]);
    return cost!;
  }

  /** Freezes the variables whose counterparts are frozen: a map may freeze its base. */
  freezeLike(variables: readonly tf.Variable[]): void {
    for (const [i, own] of this.variables().entries()) own.trainable = variables[i]!.trainable;
  }

  setTraining(training: boolean): void {
    this.training = training;
    for (const step of this.steps) step.train(training);
  }

  /** Applies one more map; the first one splits the weight into its originals. */
  register(step: Parametrization): void {
    step.train(this.training);
    const first = this.steps.length === 0;
    tf.tidy(() => {
      if (first) {
        const weight = this.originals[0]!;
        const values = [step.rightInverse!(weight)].flat();
        weight.assign(tf.clone(values.at(-1)!));
        this.originals = [...values.slice(0, -1).map((value) => tf.variable(value)), weight];
      }
      // The trial of a registration may draw, but leaves no trace in buffers.
      const before = step.buffers().map((buffer) => tf.clone(buffer));
      step.forward(...(first ? this.originals : [tf.tensor(this.inspect(), [3, 2])]));
      step.buffers().forEach((buffer, i) => {
        buffer.assign(before[i]!);
      });
    });
    this.steps.push(step);
    this.#entry = null;
  }

  /** Makes the weight plain again. */
  remove(): void {
    const value = this.inspect();
    const weight = this.originals.at(-1)!;
    for (const other of this.originals.slice(0, -1)) this.#disposeVariable(other);
    for (const step of this.steps) {
      for (const parameter of step.parameters()) this.#dropOptimizer(parameter);
      step.dispose();
    }
    this.originals = [weight];
    this.steps = [];
    this.#entry = null;
    tf.tidy(() => weight.assign(tf.tensor(value, weight.shape)));
  }

  /** Writes the originals whose image is the value. */
  assign(value: tf.Tensor): void {
    tf.tidy(() => {
      let current: tf.Tensor | tf.Tensor[] = value;
      for (const step of [...this.steps].reverse()) current = step.rightInverse!(current as tf.Tensor);
      const values = [current].flat();
      this.originals.forEach((original, i) => {
        original.assign(values[i]!);
      });
    });
  }

  leaveScope(): void {
    this.inScope = false;
    this.#entry = null;
  }

  dispose(): void {
    for (const variable of [...this.originals, this.bias]) this.#disposeVariable(variable);
    for (const step of this.steps) step.dispose();
    for (const optimizer of this.#optimizers.values()) disposeOptimizer(optimizer);
    disposeOptimizer(this.#clock);
  }

  /** The last entry, if nothing that it depended on has changed. */
  #freshEntry(): Entry | null {
    const key = this.#key();
    return this.#entry?.key.every((part, i) => part === key[i]) ? this.#entry : null;
  }

  #key(): unknown[] {
    const tensors = this.steps.flatMap((step) => [...step.parameters(), ...step.buffers()]);
    return [this.training, ...[...this.originals, ...tensors].map(({ dataId }) => dataId)];
  }

  #optimizerOf(variable: tf.Variable): tf.Optimizer {
    let optimizer = this.#optimizers.get(variable);
    if (optimizer === undefined) {
      optimizer = this.#newOptimizer();
      copyClock(this.#clock, optimizer);
      this.#optimizers.set(variable, optimizer);
    }
    return optimizer;
  }

  #dropOptimizer(variable: tf.Variable): void {
    const optimizer = this.#optimizers.get(variable);
    if (optimizer !== undefined) disposeOptimizer(optimizer);
    this.#optimizers.delete(variable);
  }

  #disposeVariable(variable: tf.Variable): void {
    this.#dropOptimizer(variable);
    variable.dispose();
  }
}

/** Adam and Adamax count steps for their bias correction; the count is the optimizer's, not the variable's. */
export function copyClock(from: tf.Optimizer, to: tf.Optimizer): void {
  for (const field of ['accBeta1', 'accBeta2', 'iteration']) {
    const source = (from as unknown as Record<string, tf.Variable | undefined>)[field];
    if (source !== undefined) (to as unknown as Record<string, tf.Variable>)[field]!.assign(source);
  }
}

function numbers(evaluate: () => tf.Tensor): number[] {
  const value = evaluate();
  const data = [...value.dataSync()];
  value.dispose();
  return data;
}
