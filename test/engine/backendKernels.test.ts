import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { kernelsByBackend } from '../../src/engine/backendKernels.ts';

afterEach(() => vi.restoreAllMocks());

describe('kernelsByBackend', () => {
  it('makes nothing before it is asked, and once for each backend', () => {
    const make = vi.fn((backend: tf.KernelBackend) => ({ backend }));
    const kernels = kernelsByBackend('a sum', { cpu: make, wasm: make });
    expect(make).not.toHaveBeenCalled();
    expect(kernels()).toEqual({ backend: tf.backend() });
    expect(kernels()).toBe(kernels());
    expect(make).toHaveBeenCalledTimes(1);
  });

  it('has nothing for a backend that nobody wrote kernels for, and says nothing', () => {
    const debug = vi.spyOn(console, 'debug').mockReturnValue();
    expect(kernelsByBackend('a sum', { toString: () => 1 })()).toBe(null);
    expect(debug).not.toHaveBeenCalled();
  });

  it('has nothing where the bundler has left the kernels out, and says which constant does it', () => {
    const debug = vi.spyOn(console, 'debug').mockReturnValue();
    const kernels = kernelsByBackend('a sum', { cpu: null, wasm: null });
    expect([kernels(), kernels()]).toEqual([null, null]);
    const backend = tf.getBackend();
    expect(debug.mock.calls).toEqual([
      [
        `tfjs-parametrize: a sum on ${backend} is composed of tfjs operations: ` +
          `__TFJS_PARAMETRIZE_${backend.toUpperCase()}__ is false in the configuration of the bundler`,
      ],
    ]);
  });

  it('has nothing where making fails, and says so once', () => {
    const debug = vi.spyOn(console, 'debug').mockReturnValue();
    const fail = vi.fn(() => {
      throw new Error('no SIMD');
    });
    const kernels = kernelsByBackend('a sum', { cpu: fail, wasm: fail });
    expect([kernels(), kernels()]).toEqual([null, null]);
    expect(fail).toHaveBeenCalledTimes(1);
    expect(debug.mock.calls).toEqual([
      [`tfjs-parametrize: a sum on ${tf.getBackend()} is composed of tfjs operations: no SIMD`],
    ]);
  });
});
