import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { MergedKeys, TensorKey } from '../stateDict/tiedKeys.ts';
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
    const merged: MergedKeys = { origins: new Map(), conflicts: [] };
    for (const { key, source, isTransposed } of tiesBelow(prefixes)) {
      const value: unknown = state.get(key);
      if (!isTransposed || !(value instanceof tf.Tensor) || value.isDisposed || value.rank !== 2) continue;
      const to = source.prefix + source.name;
      const moved: Tensor = tf.transpose(value);
      const other = state.get(to);
      state.delete(key);
      if (other === undefined) {
        state.set(to, moved);
        merged.origins.set(to, key);
      } else if (!isSame(other, moved)) merged.conflicts.push([to, key]);
    }
    return merged;
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
