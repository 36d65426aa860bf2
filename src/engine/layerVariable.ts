import type { DataType, Tensor, Variable } from '@tensorflow/tfjs-core';

/** A weight of a layer of tfjs-layers: a named holder of one variable. */
export interface LayerVariable {
  /** A number that is larger for a weight that was made later. */
  readonly id: number;
  readonly dtype: DataType;
  readonly shape: readonly (number | null)[];
  /** The name of the variable in this process. */
  name: string;
  /** The name under which the weight is saved. */
  readonly originalName: string;
  readonly constraint: { apply(value: Tensor): Tensor; getClassName(): string; getConfig(): object } | null;
  trainable: boolean;
  val: Variable;
  read(): Tensor;
  write(value: Tensor): LayerVariable;
  dispose(): void;
}

/** True for a weight of any copy of tfjs-layers. */
export function isLayerVariable(value: unknown): value is LayerVariable {
  if (typeof value !== 'object' || value === null) return false;
  const { read, write, originalName } = value as Partial<LayerVariable>;
  return typeof read === 'function' && typeof write === 'function' && typeof originalName === 'string';
}

/**
 * Makes a weight that holds an existing variable. The constructor of tfjs-layers can only make a new variable.
 *
 * @param owner - the weight that the variable belongs to
 */
export function holderOf(variable: Variable, owner: LayerVariable): LayerVariable {
  return Object.assign(Object.create(Object.getPrototypeOf(owner)), {
    dtype: variable.dtype,
    shape: variable.shape,
    id: variable.id,
    originalName: owner.originalName,
    name: variable.name,
    trainable_: variable.trainable,
    constraint: null,
    val: variable,
  });
}

/** Lets a weight from {@link holderOf} be saved under the name of its owner and a key. */
export function nameHolder(holder: LayerVariable, owner: LayerVariable, key: string): void {
  (holder as { originalName: string }).originalName = `${owner.originalName}/${key}`;
}

/** Puts a variable in a weight, which becomes trainable if the variable is. The order of the fields does not change. */
export function putVariable(weight: LayerVariable, variable: Variable): void {
  Object.defineProperty(weight, 'val', {
    value: variable,
    writable: true,
    enumerable: true,
    configurable: true,
  });
  syncTrainable(weight);
}

/** Lets a weight be trainable if its variable is. */
export function syncTrainable(weight: LayerVariable): void {
  (weight as unknown as { trainable_: boolean }).trainable_ = weight.val.trainable;
}
