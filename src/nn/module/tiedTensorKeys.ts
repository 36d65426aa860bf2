import * as tf from '@tensorflow/tfjs-core';
import { idOf, type TensorKey } from '../stateDict/tiedKeys.ts';
import type { Module } from './module.ts';
import { tiesOn } from './normalizedTensor.ts';
import type { TieState } from './tieState.ts';

/** The keys of tensors that read other tensors. */
export const tiedTensorKeys: TieState = {
  keysOf: (prefixes) =>
    tiesBelow(prefixes).flatMap(({ tensor, source, isTransposed }) =>
      isTransposed ? [] : [[idOf(tensor), source]],
    ),
  transposed: (prefixes) =>
    tiesBelow(prefixes).flatMap(({ tensor, source, isTransposed }) =>
      isTransposed
        ? [{ tensor, source, convert: (value) => (value.rank === 2 ? tf.transpose(value) : undefined) }]
        : [],
    ),
};

interface KeyTie {
  readonly tensor: TensorKey;
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
        : [{ tensor: { prefix, name: key }, source: { prefix: other, name }, isTransposed }];
    }),
  );
