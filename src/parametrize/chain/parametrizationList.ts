import type { DataType, Tensor, Variable } from '@tensorflow/tfjs-core';
import { scoped, watchTapes } from '../../engine/scope.ts';
import { currentTape, hasGradients, inGradient } from '../../engine/tape.ts';
import { isAlive, isVariable } from '../../engine/variable.ts';
import { COPY, type Copier } from '../../nn/module/copy.ts';
import { Module } from '../../nn/module/module.ts';
import type { Computation } from '../../nn/module/normalizedTensor.ts';
import { setTraining } from '../../nn/module/trainingMode.ts';
import type { ParametrizationLike } from '../parametrization.ts';
import { planAssignment, planState } from './assignment.ts';
import type { ChainStep } from './chainStep.ts';
import { dependencyKey, listsIn } from './dependencyKey.ts';
import { EvaluationCache, mayKeep } from './evaluationCache.ts';
import { fixFields } from './fieldSet.ts';
import type { ListParts, OriginalName } from './listParts.ts';
import { hide, showSteps } from './listProperties.ts';
import { isInspecting, preservingState, restoringOnError } from './moduleState.ts';
import { cyclicRead, endedChain, noGradients, warnCustomGradient } from './readErrors.ts';
import { disposeObjects } from './registry.ts';
import type { TensorSpec } from './rightInverse.ts';
import { runSteps } from './runSteps.ts';

/**
 * The originals of one parametrized tensor and its chain of parametrizations, in the order of application.
 *
 * `value = list[n-1](… list[0](original0, original1, …))`.
 *
 * @remarks
 * **State**: `original`, or `original0`, `original1`, …; then the parametrizations that are modules, as `0`, `1`, ….
 * **Ownership**: the list owns the originals. `host.dispose()` and removal dispose them.
 *
 * @see torch.nn.utils.parametrize.ParametrizationList
 */
export class ParametrizationList extends Module implements Computation, Iterable<ParametrizationLike> {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'ParametrizationList';

  /** The registered parametrizations, by position. */
  readonly [index: number]: ParametrizationLike;
  /** One of several originals, or undefined. */
  readonly [name: `original${number}`]: Variable | undefined;
  /** The only original; absent if the first right inverse gives an array. */
  declare readonly original?: Variable;
  /** The first of several originals; absent if the first right inverse gives one tensor. */
  declare readonly original0?: Variable;
  /** The second of several originals; absent if the first right inverse gives one tensor. */
  declare readonly original1?: Variable;
  /** @internal See {@link ListParts}, also for the next five. */
  declare readonly label: string;
  /** @internal */
  declare originalNames: readonly OriginalName[];
  /** @internal */
  declare readonly wasTrainable: boolean;
  /** @internal */
  declare trainableBelow: boolean | undefined;
  /** @internal The variables that maps freeze, with their flags; see `frozenBase.ts`. */
  declare readonly frozenBase: Map<Variable, boolean>;
  /** @internal */
  declare steps: readonly ChainStep[];
  /** @internal */
  declare spec: TensorSpec;
  /** @internal The steps that run: all of this very array, unless some are skipped for a while. */
  declare active: readonly ChainStep[];
  /** @internal True while the chain runs: its originals cannot be disposed then. */
  declare isEvaluating: boolean;
  /** @internal The kept values. */
  declare protected readonly cache: EvaluationCache;
  declare private shown: readonly PropertyKey[];

  /** @internal Made by registration. */
  constructor(
    originals: readonly Variable[],
    { label, originalNames, wasTrainable, trainableBelow, steps, spec }: ListParts,
  ) {
    super();
    watchTapes();
    hide(this, {
      label,
      originalNames,
      wasTrainable,
      trainableBelow,
      frozenBase: new Map(),
      steps: [],
      active: [],
      shown: [],
      isEvaluating: false,
      spec,
      cache: new EvaluationCache(label),
    });
    for (const [i, name] of originalNames.entries()) {
      Object.defineProperty(this, name, { value: originals[i], enumerable: true, configurable: true });
    }
    this.setSteps(steps, spec);
  }

  /** The number of registered parametrizations. */
  get length(): number {
    return this.steps.length;
  }

  /** The number of evaluations of the chain so far. */
  get evaluations(): number {
    return this.cache.evaluations;
  }

  /** The number of reads of the tensor so far. */
  get reads(): number {
    return this.cache.reads;
  }

  /** The shape of the computed tensor. */
  get shape(): readonly number[] {
    return this.spec.shape;
  }

  /** @internal The dtype of the computed tensor. */
  get dtype(): DataType {
    return this.spec.dtype;
  }

  /** The registered parametrizations. */
  *[Symbol.iterator](): Iterator<ParametrizationLike> {
    for (const { registered } of this.steps) yield registered;
  }

  /** Evaluates the chain without the cache. */
  override forward(): Tensor {
    return this.evaluate(this.active);
  }

  private evaluate(steps: readonly ChainStep[]): Tensor {
    if (this.isEvaluating) throw cyclicRead(this.label);
    this.checkAlive();
    return this.guard(() => {
      const value = scoped(this.label, (scope) =>
        runSteps(`reading ${this.label}`, steps, this.originals(), scope),
      );
      this.cache.evaluations++;
      return value;
    });
  }

  /** @internal The value for a reader of the host. */
  read(): Tensor {
    const { cache } = this;
    cache.reads++;
    if (isInspecting() && !this.isPure()) return this.inspect();
    const tape = currentTape();
    if (tape !== null) {
      if (!hasGradients()) throw noGradients(this.label);
    } else if (inGradient()) warnCustomGradient(this.label);
    const found = cache.find(tape);
    if (found !== null) return found;
    const value = this.forward();
    const modules = this.modules();
    const pure = this.isPure(modules);
    if (mayKeep(pure)) cache.store(value, dependencyKey(this, modules), pure, tape);
    return value;
  }

  /**
   * @internal Returns the value without side effects: no power iteration, no random mask, no cache entry. The result is
   * owned like the result of an op.
   *
   * @param steps - the first steps of the chain, for the value after them; default those that run
   */
  inspect(steps = this.active): Tensor {
    const modules = this.modules();
    return preservingState(modules, () => {
      if (!this.isPure(modules)) setTraining(`reading ${this.label}`, modules, false);
      return this.evaluate(steps);
    });
  }

  /** @internal Runs a function during which every read of the tensor throws `CYCLE`. */
  guard<T>(fn: () => T): T {
    const before = this.isEvaluating;
    this.isEvaluating = true;
    try {
      return fn();
    } finally {
      this.isEvaluating = before;
    }
  }

  /** @internal Returns true if the value is a function of the dependencies only, in the current mode. */
  isPure(modules = this.modules()): boolean {
    return listsIn(this, modules).every(({ active }) => active.every((step) => step.isPure()));
  }

  /** @internal Returns the originals. Parametrized originals are computed. */
  originals(): Tensor[] {
    return this.originalNames.map((name) => this[name]!);
  }

  /** @internal Returns the originals that are variables of this list. */
  ownVariables(): Variable[] {
    const descriptors = this.originalNames.map((name) => Object.getOwnPropertyDescriptor(this, name));
    return descriptors.map((descriptor): unknown => descriptor?.value).filter(isVariable);
  }

  /** @internal Writes the originals for which the chain gives the value, all or none. */
  assign(value: unknown): void {
    restoringOnError(this.modules(), () => {
      const plan = planAssignment(`assigning ${this.label}`, this, value);
      for (const [variable, tensor] of plan) variable.assign(tensor);
    });
  }

  /** @internal Returns the values of variables for which the chain gives a value. Nothing is written. */
  stateFor(caller: string, value: Tensor, variables: readonly Variable[]): Tensor[] {
    return planState(caller, this, value, variables);
  }

  /** @internal Replaces the steps, and the shape and dtype of the value. */
  setSteps(steps: readonly ChainStep[], { shape, dtype }: TensorSpec = this.spec): void {
    this.steps = steps;
    this.active = steps;
    this.spec = { shape: [...shape], dtype };
    this.shown = showSteps(this, this.shown);
  }

  /** @internal Throws if an original is disposed or the chain was removed. */
  checkAlive(): void {
    const dead = this.ownVariables().find((variable) => !isAlive(variable));
    if (dead !== undefined || this.length === 0) throw endedChain(this.label, dead?.name);
  }

  /** @internal Frees the cached values. */
  clear(): void {
    this.cache.clear();
  }

  /** @internal */
  override [COPY](copier: Copier): object {
    const copy = super[COPY](copier);
    const { steps } = copy as ParametrizationList;
    hide(copy, { cache: new EvaluationCache(this.label), isEvaluating: false, active: steps });
    return copy;
  }

  /** Disposes the originals and the cached value, and the parameters and buffers of the parametrizations. */
  override dispose(): void {
    this.clear();
    disposeObjects(this);
    super.dispose();
  }
}

fixFields(ParametrizationList);
