import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { hasBackend, isWasm } from '../../src/engine/backend.ts';

describe('hasBackend', () => {
  it('is true once a backend is registered, and false without any', () => {
    expect(hasBackend()).toBe(true);
    const engine = tf.engine();
    const { registryFactory } = engine;
    try {
      engine.registryFactory = {};
      expect(hasBackend()).toBe(false);
    } finally {
      engine.registryFactory = registryFactory;
    }
  });
});

describe('isWasm', () => {
  it('is true of the wasm backend of tfjs only', () => {
    expect(isWasm()).toBe(process.env['TFJS_BACKEND'] === 'wasm');
  });
});
