import type { Variable } from '@tensorflow/tfjs-core';
import type { LayerVariable } from './layerVariable.ts';

// `compile` of a sequential model, and `trainable` of a layer, set `trainable` of every weight. The setter of the
// weights of tfjs-layers is wrapped, so that a variable with the mark stays frozen.

const KEPT: unique symbol = Symbol.for('tfjs-parametrize.keptFrozen') as never;
const WRAPPED: unique symbol = Symbol.for('tfjs-parametrize.keepsFrozen') as never;

/**
 * Keeps the variable of a weight frozen until the next call, even if its layer is made trainable; or lets it train
 * again.
 */
export function keepFrozen(weight: LayerVariable, isFrozen: boolean): void {
  wrapSetter(Object.getPrototypeOf(weight) as object);
  if (isFrozen) {
    weight.trainable = false;
    Object.defineProperty(weight.val, KEPT, { value: true, configurable: true });
  } else {
    Reflect.deleteProperty(weight.val, KEPT);
    weight.trainable = true;
  }
}

/**
 * Marks a variable, so that it stays frozen as in {@link keepFrozen}. The mark does not freeze it.
 *
 * @param prototype - the prototype of the weights that may hold it
 * @returns a function that removes the mark; null if the variable has the mark already
 */
export function markFrozen(variable: Variable, prototype: object): (() => void) | null {
  wrapSetter(prototype);
  if (isKept(variable)) return null;
  Object.defineProperty(variable, KEPT, { value: true, configurable: true });
  return () => void Reflect.deleteProperty(variable, KEPT);
}

const isKept = (variable: Variable): boolean => KEPT in variable;

function wrapSetter(prototype: object): void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, 'trainable');
  if (descriptor?.set === undefined || WRAPPED in descriptor.set) return;
  const { set } = descriptor;
  const wrapped = function (this: LayerVariable, trainable: boolean): void {
    set.call(this, trainable && !isKept(this.val));
  };
  Object.defineProperty(wrapped, WRAPPED, { value: true });
  Object.defineProperty(prototype, 'trainable', { ...descriptor, set: wrapped });
}
