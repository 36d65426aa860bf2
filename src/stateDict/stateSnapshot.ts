import type { NamedTensorMap } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { Module } from '../nn/module/module.ts';
import type { KeyFormat } from '../nn/stateDict/keyFormat.ts';

/**
 * The state of a module as it is now: a variable changes its data by replacing it, so that a clone keeps it.
 *
 * @remarks
 * **Ownership**: the caller's.
 */
export const stateSnapshot = (module: Module, keyFormat: KeyFormat | undefined): NamedTensorMap =>
  tf.tidy(() => {
    const state = module.stateDict(keyFormat === undefined ? {} : { keyFormat });
    return Object.fromEntries(Object.entries(state).map(([key, tensor]) => [key, tf.clone(tensor)]));
  });
