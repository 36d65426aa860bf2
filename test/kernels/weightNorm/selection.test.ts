import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { weightNormOp } from '../../../src/kernels/index.ts';
import { cpuWeightNorm } from '../../../src/kernels/weightNorm/cpu.ts';
import type { WeightNormKernels } from '../../../src/kernels/weightNorm/kernels.ts';
import { wasmWeightNorm } from '../../../src/kernels/weightNorm/wasm.ts';
import { defineWeightNorm } from '../../../src/kernels/weightNorm/weightNormOp.ts';
import { inTidy } from '../../parametrize/fixtures.ts';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const make = (backend: tf.KernelBackend): WeightNormKernels =>
  (tf.getBackend() === 'cpu' ? cpuWeightNorm : wasmWeightNorm)(backend);

/** An object, but for some properties. */
const changed = <T extends object>(object: T, properties: object): T =>
  Object.assign(Object.create(object) as T, properties);

type Backend = tf.KernelBackend & Record<'data' | 'dataIdMap', object>;

const changes: Record<string, [string, (backend: Backend) => object][]> = {
  cpu: [
    ['no data', () => ({ data: undefined })],
    ['no makeTensorInfo', () => ({ makeTensorInfo: undefined })],
    ['its numbers elsewhere', ({ data }) => ({ data: changed(data, { get: () => ({ values: [1, 2] }) }) })],
  ],
  wasm: [
    ['no module', () => ({ wasm: undefined })],
    ['no memory', () => ({ wasm: { asm: {} } })],
    ['another memory', () => ({ wasm: { asm: { memory: new WebAssembly.Memory({ initial: 1 }) } } })],
    ['no dataIdMap', () => ({ dataIdMap: undefined })],
    [
      'no addresses',
      ({ dataIdMap }) => ({ dataIdMap: changed(dataIdMap, { get: () => ({ refCount: 1 }) }) }),
    ],
    ['no makeOutput', () => ({ makeOutput: undefined })],
  ],
};

describe('the fused kernels', () => {
  it.each(changes[process.env['TFJS_BACKEND'] ?? 'cpu']!)(
    'are not made for a backend with %s',
    (_, properties) => {
      const backend = tf.backend() as Backend;
      const other = changed(backend, properties(backend));
      expect(() => make(other)).toThrow(/^the (tensors of the )?backend/);
    },
  );

  it('allocate nothing that stays when they are made', () => {
    const before = tf.backend().numDataIds();
    make(tf.backend());
    expect(tf.backend().numDataIds()).toBe(before);
  });

  it('leave to the reference what a tape of another kind could not save', () => {
    inTidy(() => {
      const v = tf.tensor2d([[3, 4]]);
      const engine = tf.engine() as unknown as { addTapeNode: (...args: unknown[]) => void };
      const addTapeNode = engine.addTapeNode;
      vi.spyOn(engine, 'addTapeNode').mockImplementation(function (this: unknown, ...args) {
        addTapeNode.apply(this, args);
        const tape = tf.engine().state.activeTape as unknown as { saved?: unknown }[];
        const node = tape.at(-1)!;
        // Frozen, as a tape may be that saves nothing after the fact.
        if (args[0] === 'tfjs-parametrize/WeightNorm')
          node.saved = { length: 0, [Symbol.iterator]: () => [][Symbol.iterator]() };
      });
      const [dg, dv] = tf.grads((...x) => weightNormOp(x[0]!, x[1]!, [1], 0))([tf.tensor2d([[2]]), v]);
      expect(dg!).toBeAllClose([1.4]);
      expect(dv!).toBeAllClose([(2 / 5) * (1 - 0.6 * 1.4), (2 / 5) * (1 - 0.8 * 1.4)]);
    });
  });

  it('serve two copies of this package', () => {
    inTidy(() => {
      const kernels = make(tf.backend());
      const other = defineWeightNorm(() => kernels);
      const [g, v] = [tf.tensor2d([[10]]), tf.tensor2d([[3, 4]])];
      expect(other(g, v, [1], 0)).toBeAllClose([6, 8]);
      expect(weightNormOp(g, v, [1], 0)).toBeAllClose([6, 8]);
    });
  });
});
