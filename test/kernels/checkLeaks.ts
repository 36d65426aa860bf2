import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll } from 'vitest';

/**
 * Has every kernel of the tests of a file throw that leaks.
 *
 * On wasm, tfjs takes what it saves for a gradient for a leak; and on every backend, what a custom gradient saves that is
 * neither its input nor its output, so that not all tests can have this.
 */
export function checkLeaks(): void {
  beforeAll(() => {
    tf.env().set('IS_TEST', tf.getBackend() !== 'wasm');
  });
  afterAll(() => {
    tf.env().set('IS_TEST', false);
  });
}
