import type { DataType, Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { ParametrizeError } from '../../core/errors.ts';
import { alias, isOwnedBy, type Scope, scoped, watchTapes } from '../../engine/scope.ts';
import { currentTape, hasGradients, inGradient } from '../../engine/tape.ts';
import { isAlive, isVariable } from '../../engine/variable.ts';
import { COPY, type Copier, type Copyable } from '../../nn/module/copy.ts';
import { setTraining } from '../../nn/module/trainingMode.ts';
import type { ChainStep } from './chainStep.ts';
import { copyStep } from './copyStep.ts';
import { type DependencyKey, dependencyKey } from './dependencyKey.ts';
import { type Evaluated, EvaluationCache } from './evaluationCache.ts';
import { isInspecting, preservingState, restoringOnError } from './moduleState.ts';
import type { ParametrizationList } from './parametrizationList.ts';
import { planAssignment } from './planAssignment.ts';
import { noGradients, notATensor, warnCustomGradient, writesOutside } from './readErrors.ts';
import { registrationOf, registrationsOf } from './registry.ts';
import { isTensor, type TensorSpec } from './rightInverse.ts';

/** The parts of a chain. */
export interface ChainParts {
  /** The name of the tensor in messages: `Linear.weight`. */
  readonly label: string;
  /** `['original']`, or `['original0', 'original1', …]`. */
  readonly originalNames: readonly string[];
  /** True if the variable of the host was trained, where the chain decides that anew; removal brings it back. */
  readonly wasTrainable?: boolean | undefined;
  readonly steps: readonly ChainStep[];
  /** Shape and dtype of the computed tensor. */
  readonly spec: TensorSpec;
}

/**
 * The computation behind one parametrized tensor: `p_n(… p_1(originals))`, its cache and its inverse.
 *
 * The originals stand in the fields of the {@link ParametrizationList}, which may be parametrized themselves.
 */
export class Chain implements Copyable, Evaluated {
  readonly label: string;
  readonly originalNames: readonly string[];
  /** True if the variable of the host was trained, where the chain decides that anew; removal brings it back. */
  readonly wasTrainable?: boolean | undefined;
  /** The number of evaluations of the chain. */
  evaluations = 0;
  /** The number of reads of its value. */
  reads = 0;
  #steps: readonly ChainStep[];
  #spec: TensorSpec;
  #evaluating = false;
  readonly #list: ParametrizationList;
  readonly #cache = new EvaluationCache(this);

  constructor(list: ParametrizationList, { label, originalNames, wasTrainable, steps, spec }: ChainParts) {
    watchTapes();
    this.#list = list;
    this.label = label;
    this.originalNames = originalNames;
    this.wasTrainable = wasTrainable;
    this.#steps = steps;
    this.#spec = spec;
  }

  get steps(): readonly ChainStep[] {
    return this.#steps;
  }

  /** Shape of the computed tensor. */
  get shape(): readonly number[] {
    return this.#spec.shape;
  }

  /** Dtype of the computed tensor. */
  get dtype(): DataType {
    return this.#spec.dtype;
  }

  /** Replaces the steps, and tells what the value is like then. */
  setSteps(steps: readonly ChainStep[], spec: TensorSpec = this.#spec): void {
    this.#steps = steps;
    this.setSpec(spec);
  }

  /** Tells what the value is like. */
  setSpec({ shape, dtype }: TensorSpec): void {
    this.#spec = { shape: [...shape], dtype };
  }

  /** The originals, computed where they are parametrized themselves. */
  originals(): Tensor[] {
    const fields = this.#list as unknown as Record<string, Tensor>;
    return this.originalNames.map((name) => fields[name]!);
  }

  /** The originals that are variables of this very list. */
  ownVariables(): Variable[] {
    const descriptors = this.originalNames.map((name) => Object.getOwnPropertyDescriptor(this.#list, name));
    return descriptors.map((descriptor): unknown => descriptor?.value).filter(isVariable);
  }

  /** The value for a reader of the host. */
  read(): Tensor {
    this.reads++;
    if (isInspecting() && !this.isPure()) return this.inspect();
    const tape = currentTape();
    if (tape !== null) {
      if (!hasGradients()) throw noGradients(this.label);
    } else if (inGradient()) warnCustomGradient(this.label);
    return this.#cache.read(tape);
  }

  /** The value without its side effects: no power iteration, no random mask, no entry. An op's result. */
  inspect(): Tensor {
    const modules = this.#list.modules();
    return preservingState(modules, () => {
      if (!this.isPure()) setTraining(`reading ${this.label}`, modules, false);
      return this.evaluate();
    });
  }

  /** The first original, without side effects, also where it is computed itself. An op's result. */
  inspectOriginal(): Tensor {
    const [name] = this.originalNames;
    const nested = registrationOf(this.#list, name!)?.list.chain;
    return nested?.inspect() ?? alias(this.ownVariables()[0]! as Tensor);
  }

  evaluate(): Tensor {
    if (this.#evaluating) {
      throw new ParametrizeError(
        'CYCLE',
        `reading ${this.label}: a parametrization reads the tensor that it computes. Use its argument instead.`,
      );
    }
    this.checkAlive();
    this.#evaluating = true;
    try {
      const value = scoped(this.label, (scope) => this.#run(this.originals(), scope));
      this.evaluations++;
      return value;
    } finally {
      this.#evaluating = false;
    }
  }

  /** True while the chain runs: its originals cannot be disposed then. */
  get isEvaluating(): boolean {
    return this.#evaluating;
  }

  /** Runs `fn` while every read of the tensor is a cycle. */
  guard<T>(fn: () => T): T {
    const before = this.#evaluating;
    this.#evaluating = true;
    try {
      return fn();
    } finally {
      this.#evaluating = before;
    }
  }

  key(): DependencyKey {
    return dependencyKey(this.#list, this.#declaredDependencies());
  }

  isPure(): boolean {
    return [this, ...this.#nestedChains()].every(({ steps }) => steps.every((step) => step.isPure()));
  }

  /** Writes the originals whose image is `value`; all or nothing. */
  assign(value: unknown): void {
    const caller = `assigning ${this.label}`;
    restoringOnError(this.#list.modules(), () => {
      for (const [variable, tensor] of planAssignment(caller, this.#list, value)) variable.assign(tensor);
    });
  }

  /** The values of variables with which the chain gives a value, in their order; the chain itself stays as it is. */
  stateFor(caller: string, value: Tensor, variables: readonly Variable[]): Tensor[] {
    return preservingState(this.#list.modules(), () => {
      const outside = this.#declaredDependencies().filter((variable) => !variables.includes(variable));
      const before = outside.map(({ dataId }) => dataId);
      const plan = new Map(planAssignment(caller, this.#list, value));
      const written = outside.find(({ dataId }, i) => dataId !== before[i]);
      if (written !== undefined) throw writesOutside(caller, this.label, written);
      // A right inverse may write buffers, which belong to the state as well.
      return variables.map((variable) => plan.get(variable) ?? alias(variable as Tensor));
    });
  }

  /** Frees the cached values. */
  clear(): void {
    this.#cache.clear();
  }

  /** A chain over the copied list: steps copied with it, counters and cache of its own. */
  [COPY](copier: Copier): Chain {
    const steps = this.#steps.map((step) => copyStep(step, copier));
    return new Chain(copier.copy(this.#list), {
      label: this.label,
      originalNames: this.originalNames,
      wasTrainable: this.wasTrainable,
      steps,
      spec: this.#spec,
    });
  }

  #run(originals: Tensor[], scope: Scope): Tensor {
    let args = originals;
    for (const step of this.#steps) {
      const value: unknown = step.forward(...args);
      if (!isTensor(value)) throw notATensor(`reading ${this.label}`, step, value);
      // Also between steps: the next one may dispose its argument.
      args = [owned(value, scope)];
    }
    return args[0]!;
  }

  /** The chains that this one reads: of originals, and of tensors of its parametrizations, at any depth. */
  #nestedChains(): Chain[] {
    const registrations = this.#list.modules().flatMap((module) => [...registrationsOf(module).values()]);
    return registrations.map(({ list }) => list.chain);
  }

  #declaredDependencies(): Variable[] {
    return [this, ...this.#nestedChains()].flatMap(({ steps }) =>
      steps.flatMap(({ dependencies, inherited }) => [...dependencies, ...inherited.filter(isAlive)]),
    );
  }

  /** Throws once an original is disposed, or the chain was removed. */
  checkAlive(): void {
    const dead = this.ownVariables().find((variable) => !isAlive(variable));
    if (dead === undefined && this.#steps.length > 0) return;
    throw new ParametrizeError(
      'DISPOSED',
      `reading ${this.label}: ${dead === undefined ? 'the parametrization was removed' : `its original '${dead.name}' was disposed`}, by dispose() or tf.disposeVariables(). Make the host again, or dispose it last.`,
    );
  }
}

/** The evaluation as a tensor that nobody else holds: never a variable, a kept tensor, or one from outside. */
const owned = (value: Tensor, scope: Scope): Tensor => (isOwnedBy(value, scope) ? value : tf.clone(value));
