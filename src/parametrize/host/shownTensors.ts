import type { Tensor, Variable } from '@tensorflow/tfjs-core';

/** A tensor that hides the variable of a field for a while. */
export interface ShownTensor {
  readonly tensor: Tensor;
  readonly variable: Variable;
}

const shown = new WeakMap<object, Map<string, ShownTensor>>();

/** Returns the tensors that hide variables of a host, by name. */
export const shownTensors = (host: object): ReadonlyMap<string, ShownTensor> =>
  shown.get(host) ?? new Map<string, ShownTensor>();

/** Notes that a tensor hides a variable. Returns a function that undoes this; calls may nest. */
export function noteShown(host: object, name: string, one: ShownTensor): () => void {
  const byName = shown.get(host) ?? new Map<string, ShownTensor>();
  const before = byName.get(name);
  shown.set(host, byName.set(name, one));
  return () => {
    if (before === undefined) byName.delete(name);
    else byName.set(name, before);
  };
}
