import * as tf from '@tensorflow/tfjs-core';
import type { TestContext } from 'vitest';

interface WebGPUBackend extends tf.KernelBackend {
  readonly device: { readonly lost: Promise<unknown> };
  convertAndCacheOnCPU?(dataId: tf.DataId, values: tf.backend_util.BackendValues): unknown;
}

const note = 'Chromium has lost the GPU that it draws in software';

let current: TestContext | undefined;
let isLost = false;

/** Whether the page has lost its GPU: what a test found from then on says nothing. */
export const hasLostGPU = (): boolean => isLost;

/** Skips a test of a page that has lost its GPU, also later on while it runs. */
export function skipWithoutGPU(context: TestContext): void {
  current = context;
  if (isLost) context.skip(note);
}

/**
 * Has tests on the webgpu backend skipped once the page has lost its GPU.
 *
 * The process of Chromium that draws in software ends now and then; then every number that is read is 0. So whenever all are, a
 * number that is known is read as well.
 */
export function watchGPU(): void {
  const backend = tf.backend() as WebGPUBackend;
  const { readSync } = backend;
  const known = tf.keep(tf.tidy(() => tf.add(tf.scalar(1), tf.scalar(1))));
  void backend.device.lost.then(() => {
    isLost = true;
  });

  /** Reads without having the backend keep the numbers, which may be wrong. */
  const look = (dataId: tf.DataId) => {
    let isFromGPU = false;
    // Stands before the method of the class until it is deleted.
    backend.convertAndCacheOnCPU = (_, data) => {
      isFromGPU = true;
      return data;
    };
    try {
      const values = readSync.call(backend, dataId);
      return { values, isFromGPU };
    } finally {
      delete backend.convertAndCacheOnCPU;
    }
  };

  backend.readSync = (dataId) => {
    const { values, isFromGPU } = look(dataId);
    if (!isFromGPU) return values;
    if (isZero(values) && isZero(look(known.dataId).values)) {
      isLost = true;
      current?.skip(note);
    }
    backend.convertAndCacheOnCPU!(dataId, values);
    return values;
  };
}

const isZero = (values: tf.backend_util.BackendValues): boolean =>
  Array.from(values as ArrayLike<unknown>).every((value) => value === 0);
