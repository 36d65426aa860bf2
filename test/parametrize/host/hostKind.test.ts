import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  isParametrized,
  nn,
  parametrizationsOn,
  registerParametrization,
  removeParametrizations,
  valueOf,
  weightNorm,
} from '../../../src/index.ts';
import { type HostKind, registerHostKind } from '../../../src/parametrize/host/hostKind.ts';

/** A layer of some other library: its weight is not a property but behind `read` and `write`. */
class Box {
  kernel: tf.Variable | null = nn.parameter(() => tf.tensor2d([[3, 4]]));
  read(): tf.Tensor {
    return this.kernel!;
  }
  write(value: tf.Tensor): void {
    this.kernel!.assign(value);
  }
}

const boxes: HostKind = {
  accepts: (host) => host instanceof Box,
  tensors: () => [],
  mainTensor: () => 'kernel',
  check: () => {},
  add: () => {
    throw new Error('a box has one kernel');
  },
  find: (_caller, host) => {
    const box = host as Box;
    return {
      variable: box.kernel!,
      attachment: {
        install: (list) => {
          box.kernel = null;
          box.read = () => list.read();
          box.write = (value) => list.assign(value);
        },
        uninstall: (_list, variable) => {
          box.kernel = variable;
          delete (box as Partial<Box>).read;
          delete (box as Partial<Box>).write;
        },
      },
    };
  },
};
registerHostKind(boxes);

describe('another kind of host', () => {
  it('joins every function through the contract, with its own main tensor', () => {
    const box = new Box();
    const { kernel } = box;
    weightNorm(box);
    expect(isParametrized(box, 'kernel')).toBe(true);
    expect(box.read()).toBeAllClose([3, 4]);
    expect(parametrizationsOn(box, 'kernel').v).toBe(kernel);
    const value = tf.tensor2d([[6, 8]]);
    box.write(value);
    value.dispose();
    expect(valueOf(box, 'kernel')).toBeAllClose([6, 8]);
    expect(parametrizationsOn(box, 'kernel').g).toBeAllClose([10]);
    removeParametrizations(box, 'kernel');
    expect(box.kernel).toBe(kernel);
    expect(box.read()).toBeAllClose([6, 8]);
    expect(Object.keys(box)).toEqual(['kernel']);
    kernel!.dispose();
  });

  it('gets its place back when a registration fails', () => {
    const box = new Box();
    const { kernel } = box;
    expect(() => registerParametrization(box as object, 'kernel' as string, () => null as never)).toThrow(
      'must return a tensor',
    );
    expect(box.read()).toBe(kernel);
    expect(Object.keys(box)).toEqual(['kernel']);
    kernel!.dispose();
  });
});
