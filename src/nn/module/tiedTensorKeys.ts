import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { MovedKey, TensorKey } from '../stateDict/tiedKeys.ts';
import { everyPath } from './fields.ts';
import type { Module } from './module.ts';
import { tiesOn } from './normalizedTensor.ts';
import type { TieState } from './tieState.ts';

/** The keys of tensors that read other tensors. */
export const tiedTensorKeys: TieState = {
  keysOf: (prefixes) =>
    tiesBelow(prefixes).flatMap(({ key, source, isTransposed }) => (isTransposed ? [] : [[key, source]])),
  moveTransposed(state, root, isSame) {
    const prefixes = new Map<Module, string>();
    for (const [prefix, module] of everyPath(root)) if (!prefixes.has(module)) prefixes.set(module, prefix);
    return tiesBelow(prefixes).flatMap(({ key, source: { prefix, name }, isTransposed }): MovedKey[] => {
      const value: unknown = state.get(key);
      if (!isTransposed || !(value instanceof tf.Tensor) || value.isDisposed || value.rank !== 2) return [];
      const to = prefix + name;
      const moved: Tensor = tf.transpose(value);
      const other = state.get(to);
      state.delete(key);
      if (other === undefined) state.set(to, moved);
      return [{ from: key, to, isConflict: other !== undefined && !isSame(other, moved) }];
    });
  },
};

interface KeyTie {
  readonly key: string;
  readonly source: TensorKey;
  readonly isTransposed: boolean;
}

/** Returns the ties between tensors of modules with these prefixes. */
const tiesBelow = (prefixes: ReadonlyMap<Module, string>): KeyTie[] =>
  [...prefixes].flatMap(([module, prefix]) =>
    tiesOn(module).flatMap(([key, { host, name, isTransposed }]) => {
      const other = prefixes.get(host as Module);
      return other === undefined
        ? []
        : [{ key: prefix + key, source: { prefix: other, name }, isTransposed }];
    }),
  );
