import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { type ParametrizeError, refusal } from '../../core/errors.ts';
import { isClass } from '../../core/guards.ts';
import { typeName } from '../../core/text.ts';
import { isVariable } from '../../engine/variable.ts';
import { COPY, type Copier, type Copyable } from '../../nn/module/copy.ts';
import { isDisposed } from '../../nn/module/disposal.ts';
import { isModule } from '../../nn/module/fields.ts';
import { hooks } from '../../nn/module/hooks.ts';
import { Module } from '../../nn/module/module.ts';
import { rawOf } from '../../nn/module/rawOf.ts';
import { definitionOf } from '../definition.ts';
import type { ParametrizationLike, ParametrizationObject } from '../parametrization.ts';
import { declaredBy, markDeclared } from './declared.ts';

/** One registered parametrization of any form (module, function or object), as its chain uses it. */
export interface ChainStep extends Copyable {
  /** The registered value. */
  readonly registered: ParametrizationLike;
  /** The registered module, which has tensors, a training mode and keys in the state dict; null for other forms. */
  readonly module: Module | null;
  /** The declared variables other than the originals. */
  readonly dependencies: readonly Variable[];
  /**
   * The live variables that the source of a copied step declares. A function that captures one in a closure still uses
   * it, because JavaScript cannot copy closures.
   */
  readonly inherited: readonly Variable[];
  /** The number of originals that `forward` names; 0 for a rest parameter. */
  readonly arity: number;
  /** Other names of the originals. */
  readonly originalNames: readonly string[];
  /** True for each original that is trained; undefined if it is trained as the tensor was. */
  readonly trainable: readonly (boolean | undefined)[];
  forward(...originals: Tensor[]): Tensor;
  isPure(): boolean;
  /** The right inverse, or null. */
  readonly rightInverse: ((value: Tensor) => unknown) | null;
}

/**
 * Makes a {@link ChainStep} from a registered value.
 *
 * @throws {@link ParametrizeError} `INVALID_PARAMETRIZATION` if the value has none of the accepted forms, `TWO_COPIES`
 * if its class comes from another copy of this package, `DISPOSED`
 */
export function chainStep(caller: string, registered: unknown): ChainStep {
  if (isModule(registered)) return moduleStep(caller, rawOf(registered));
  if (typeof registered === 'function') {
    if (isClass(registered)) {
      throw invalid(caller, `got the class ${registered.name}. Pass an instance: new ${registered.name}(…)`);
    }
    const forward = registered as (...originals: Tensor[]) => Tensor;
    return {
      registered: forward,
      module: null,
      dependencies: [],
      inherited: [],
      arity: forward.length,
      originalNames: [],
      trainable: [],
      forward,
      isPure: () => false,
      rightInverse: null,
      ...copyable,
    };
  }
  if (typeof registered === 'object' && registered !== null && 'forward' in registered) {
    return objectStep(caller, registered as ParametrizationObject);
  }
  throw invalid(
    caller,
    `got ${typeName(registered)}. Pass a Parametrization, a function, or an object with forward`,
  );
}

function moduleStep(caller: string, module: Module): ChainStep {
  if (!(module instanceof Module)) {
    throw refusal(
      'TWO_COPIES',
      caller,
      `${typeName(module)} extends a class of another copy of tfjs-parametrize`,
      'Install one copy only (npm ls tfjs-parametrize shows both).',
    );
  }
  if (isDisposed(module)) {
    throw refusal('DISPOSED', caller, `this ${typeName(module)} has been disposed`, 'Make a new one.');
  }
  const { rightInverse, isPure, originalNames } = module as Partial<ParametrizationObject> & {
    originalNames?: readonly string[];
  };
  const originals = definitionOf(module)?.originals ?? {};
  return {
    registered: module,
    module,
    dependencies: [],
    inherited: [],
    arity: module.forward.length,
    originalNames: originalNames ?? Object.keys(originals),
    trainable: Object.values(originals).map(({ trainable }) => trainable),
    // `call` runs the hooks of the parametrization.
    forward: (...originals) => module.call(...originals) as Tensor,
    isPure: () => isPure?.call(module) === true && !hasForwardHooks(module),
    rightInverse: typeof rightInverse === 'function' ? (value) => rightInverse.call(module, value) : null,
    ...copyable,
  };
}

/** True for a module with forward hooks, which count as impure. */
const hasForwardHooks = (module: Module): boolean =>
  module.modules().some((part) => hooks(part, 'forwardPre').length + hooks(part, 'forward').length > 0);

function objectStep(caller: string, object: ParametrizationObject): ChainStep {
  if (typeof object.forward !== 'function') throw invalid(caller, 'forward is not a function');
  if (object.rightInverse !== undefined && typeof object.rightInverse !== 'function') {
    throw invalid(caller, 'rightInverse is not a function');
  }
  if (object.isPure !== undefined && typeof object.isPure !== 'function') {
    throw invalid(caller, 'isPure is not a function');
  }
  const dependencies: readonly unknown[] = object.dependencies ?? [];
  if (!Array.isArray(dependencies) || !dependencies.every(isVariable)) {
    throw invalid(caller, 'dependencies is not an array of variables');
  }
  return {
    registered: object,
    module: null,
    dependencies,
    inherited: [],
    arity: object.forward.length,
    originalNames: [],
    trainable: [],
    forward: (...originals) => object.forward(...originals),
    isPure: () => object.isPure?.() === true,
    rightInverse: object.rightInverse ? (value) => object.rightInverse!(value) : null,
    ...copyable,
  };
}

function invalid(caller: string, fact: string): ParametrizeError {
  return refusal('INVALID_PARAMETRIZATION', caller, `not a parametrization: ${fact}`);
}

const copyable: Copyable = {
  [COPY](copier) {
    return copyStep(this as ChainStep, copier);
  },
};

/** Returns the step of a copied chain. Modules and plain objects are copied, functions and other objects are shared. */
function copyStep(step: ChainStep, copier: Copier): ChainStep {
  const registered: unknown = copier.copy(step.registered);
  if (registered === step.registered) return step;
  const copy = chainStep('clone', registered);
  if (copy.module !== null) return copy;
  const source = [...new Set([...step.dependencies, ...step.inherited])];
  const copied = { ...copy, inherited: source.filter((variable) => !copy.dependencies.includes(variable)) };
  const by = declaredBy(step);
  if (by !== null) markDeclared(copied, by);
  return copied;
}
