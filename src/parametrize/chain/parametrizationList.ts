import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { Module } from '../../nn/module/module.ts';
import type { Computation } from '../../nn/module/normalizedTensor.ts';
import type { ParametrizationLike } from '../parametrization.ts';
import { Chain, type ChainParts } from './chain.ts';
import type { ChainStep } from './chainStep.ts';
import { fixFields } from './fieldSet.ts';
import { disposeObjects } from './registry.ts';
import { raiseVersion } from './version.ts';

/**
 * The list behind one parametrized tensor: its originals and the chain of parametrizations, in the order in which they
 * are applied.
 *
 * `value = list[n-1](… list[0](original0, original1, …))`.
 *
 * @remarks
 * **State**: `original`, or `original0`, `original1`, …; then the parametrizations that are modules, as `0`, `1`, ….
 * **Ownership**: the originals are the list's; `host.dispose()` and removal dispose of them.
 *
 * @see torch.nn.utils.parametrize.ParametrizationList
 */
export class ParametrizationList extends Module implements Computation, Iterable<ParametrizationLike> {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'ParametrizationList';

  /** Exactly what was registered, by position. */
  readonly [index: number]: ParametrizationLike;
  /** The only original; absent if the first right inverse gave an array. */
  declare readonly original: Variable;
  /** The first of several originals. */
  declare readonly original0: Variable;
  /** The second of several originals. */
  declare readonly original1: Variable;
  /** @internal The computation. */
  declare readonly chain: Chain;

  /** @internal Made by registration. */
  constructor(originals: readonly Variable[], parts: ChainParts) {
    super();
    for (const [i, name] of parts.originalNames.entries()) {
      Object.defineProperty(this, name, { value: originals[i], enumerable: true, configurable: true });
    }
    Object.defineProperty(this, 'chain', { value: new Chain(this, parts), configurable: true });
    for (const [i, step] of parts.steps.entries()) show(this, i, step);
    aliasOriginals(this, parts);
  }

  /** The number of registered parametrizations. */
  get length(): number {
    return this.chain.steps.length;
  }

  /** The number of evaluations of the chain so far. */
  get evaluations(): number {
    return this.chain.evaluations;
  }

  /** The number of reads of the tensor so far. */
  get reads(): number {
    return this.chain.reads;
  }

  /** Shape of the computed tensor. */
  get shape(): readonly number[] {
    return this.chain.shape;
  }

  /** The registered parametrizations, in order. */
  *[Symbol.iterator](): Iterator<ParametrizationLike> {
    for (const { registered } of this.chain.steps) yield registered;
  }

  /** Evaluates the chain, whatever is cached. */
  override forward(): Tensor {
    return this.chain.evaluate();
  }

  /** @internal The value, with no side effects. */
  inspect(): Tensor {
    return this.chain.inspect();
  }

  /** @internal What variables of the list have to be for the chain to give a value; nothing is written. */
  stateFor(caller: string, value: Tensor, variables: readonly Variable[]): Tensor[] {
    return this.chain.stateFor(caller, value, variables);
  }

  /** @internal Adds a step at the end; returns what takes it back. */
  append(step: ChainStep, spec: { shape: readonly number[]; dtype: Tensor['dtype'] }): () => void {
    const { length } = this;
    const { steps, shape, dtype } = this.chain;
    show(this, length, step);
    this.chain.setSteps([...steps, step], spec);
    return () => {
      Reflect.deleteProperty(this, length);
      this.chain.setSteps(steps, { shape, dtype });
      raiseVersion(this);
    };
  }

  /** Disposes the originals and the cached value, and the parameters and buffers of the parametrizations. */
  override dispose(): void {
    this.chain.clear();
    disposeObjects(this);
    super.dispose();
  }
}

fixFields(ParametrizationList);

function show(list: ParametrizationList, index: number, { module, registered }: ChainStep): void {
  // Modules are children, so that they are trained and saved; the others are not searched and not copied.
  const property = module === null ? { get: () => registered } : { value: module, enumerable: true };
  Object.defineProperty(list, index, { ...property, configurable: true });
}

function aliasOriginals(list: ParametrizationList, { steps, originalNames }: ChainParts): void {
  for (const [i, name] of (steps[0]?.originalNames ?? []).entries()) {
    const original = originalNames[i];
    if (original === undefined || name in list) continue;
    Object.defineProperty(list, name, {
      get(this: Record<string, unknown>) {
        return this[original];
      },
      configurable: true,
    });
  }
}
