import type { NamedTensorMap } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { Module } from '../nn/module/module.ts';
import type { KeyFormat } from '../nn/stateDict/keyFormat.ts';

/**
 * Returns the current state of a module. Variables replace their data on assignment, so the clones keep the old data.
 *
 * @remarks
 * **Ownership**: the tensors belong to the caller.
 */
export const stateSnapshot = (module: Module, keyFormat: KeyFormat | undefined): NamedTensorMap =>
  tf.tidy(() => {
    const state = module.stateDict(keyFormat === undefined ? {} : { keyFormat });
    return Object.fromEntries(Object.entries(state).map(([key, tensor]) => [key, tf.clone(tensor)]));
  });
