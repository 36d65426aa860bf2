import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { hasRoom } from '../../src/engine/hasRoom.ts';
import * as legacy from '../../src/legacy/index.ts';
import * as nn from '../../src/nn/index.ts';
import { Symmetric, skew, symmetric } from '../../src/parametrizations/index.ts';
import { isParametrized, pure, registerParametrization } from '../../src/parametrize/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';
import { catalogCases, layerFor } from './catalogCases.ts';

interface Wasm {
  _malloc(bytes: number): number;
}

/** As if no more bytes than that could be allocated at once. */
function leaveRoomFor(bytes: number) {
  vi.restoreAllMocks();
  const { wasm } = tf.backend() as unknown as { wasm: Wasm };
  const malloc = wasm._malloc.bind(wasm);
  return vi.spyOn(wasm, '_malloc').mockImplementation((size) => (size > bytes ? 0 : malloc(size)));
}

const size = 64;
const copy = 4 * size ** 2;
const newLayer = (): nn.Linear => new nn.Linear(size, size, { bias: false });

describe.runIf(process.env['TFJS_BACKEND'] === 'wasm')(
  'where the memory of the backend is nearly full',
  () => {
    afterEach(() => {
      vi.restoreAllMocks();
    });

    /** The call is refused, has changed nothing and made no tensor, and the backend computes as before. */
    function expectRefusal(layer: nn.Linear, call: (layer: nn.Linear) => unknown, room: number): void {
      const { weight } = layer;
      const before = flatten(weight);
      const descriptor = Object.getOwnPropertyDescriptor(layer, 'weight');
      const keys = Object.keys(layer.stateDict());
      const memory = tf.memory();
      hasRoom(0);
      const malloc = leaveRoomFor(room);
      expect(() => call(layer)).toThrow(expect.objectContaining({ code: 'OUT_OF_MEMORY' }));
      // The question, and nothing else.
      expect(malloc).toHaveBeenCalledTimes(1);
      vi.restoreAllMocks();
      expect(tf.memory()).toEqual(memory);
      expect(Object.getOwnPropertyDescriptor(layer, 'weight')).toEqual(descriptor);
      expect(Object.keys(layer.stateDict())).toEqual(keys);
      inTidy(() => {
        expect(flatten(layer.weight)).toEqual(before);
        expect(flatten(tf.matMul(tf.ones([2, 3]), tf.ones([3, 1])))).toEqual([3, 3]);
      });
    }

    it.each(Object.entries(catalogCases))(
      '%s is refused, and possible as soon as there is room',
      (name, register) => {
        const layer = layerFor(name, size);
        expectRefusal(layer, register, 3 * copy);
        register(layer);
        inTidy(() => expect(flatten(layer.weight).every(Number.isFinite)).toBe(true));
        layer.dispose();
      },
    );

    it.each<[string, (layer: nn.Linear) => unknown]>([
      ['an instance of a class', (layer) => registerParametrization(layer, 'weight', new Symmetric())],
      ['a function', (layer) => registerParametrization(layer, 'weight', pure(tf.exp))],
      ['a map with another API', (layer) => legacy.spectralNorm(layer)],
    ])('%s is refused', (_, register) => {
      const layer = newLayer();
      expectRefusal(layer, register, 3 * copy);
      layer.dispose();
    });

    it('a map is refused by what a gradient takes too, and the copies of a chain add up', () => {
      const layer = newLayer();
      expectRefusal(layer, (l) => registerParametrization(l, 'weight', new Symmetric()), 24 * copy);
      leaveRoomFor(25 * copy);
      symmetric(layer);
      expect(() => skew(layer)).toThrow(expect.objectContaining({ code: 'OUT_OF_MEMORY' }));
      leaveRoomFor(46 * copy);
      skew(layer);
      layer.dispose();
    });

    it('the error names the tensor, the memory and the remedy', () => {
      const layer = new nn.Linear(512, 512, { bias: false });
      leaveRoomFor(2 ** 20);
      expect(() => symmetric(layer)).toThrow(
        'symmetric: Linear.weight of shape [512, 512], parametrized and with a gradient, takes about 25 MiB at once, for which the memory of the backend has no room. Dispose tensors that are not needed, or use another backend.',
      );
      expect(isParametrized(layer)).toBe(false);
      layer.dispose();
    });
  },
);
