import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { Conv1d, Conv2d } from '../../../src/nn/index.ts';

describe('Conv2d', () => {
  it.each<[string, () => unknown, string]>([
    [
      'a fraction',
      () => new Conv2d(2, 3, 2.5),
      'Conv2d: kernelSize is 2.5, it must be an integer of at least 1.',
    ],
    ['zero channels', () => new Conv2d(0, 3, 2), 'Conv2d: inChannels is 0'],
    [
      'a negative padding',
      () => new Conv2d(2, 3, 2, { padding: [0, -1] }),
      'an element of padding is -1, it must be an integer of at least 0',
    ],
    [
      'three sizes',
      () => new Conv2d(2, 3, 2, { stride: [1, 1, 1] as never }),
      'stride is [1, 1, 1], it must be one number or 2 numbers.',
    ],
    [
      'groups that do not divide the input channels',
      () => new Conv2d(3, 4, 2, { groups: 2 }),
      'inChannels is 3, which 2 groups do not divide',
    ],
    [
      'groups that do not divide the output channels',
      () => new Conv2d(4, 3, 2, { groups: 2 }),
      'outChannels is 3, which 2 groups do not divide',
    ],
    [
      'another name of a padding',
      () => new Conv2d(2, 3, 2, { padding: 'full' as never }),
      "padding is 'full', it must be 'same', 'valid' or a size.",
    ],
    [
      "the padding 'same' with a stride",
      () => new Conv2d(2, 3, 2, { padding: 'same', stride: [1, 2] }),
      "padding is 'same' but stride is [1, 2], and only stride 1 keeps the size.",
    ],
    [
      'an unknown option',
      () => new Conv2d(2, 3, 2, { strides: 2 } as never),
      "'strides' is not an option. Did you mean 'stride'?",
    ],
    ['no boolean', () => new Conv2d(2, 3, 2, { bias: 0 as never }), 'bias is 0 (number)'],
  ])('refuses %s and leaves no tensor', (_, make, message) => {
    expect(make).toThrow(
      expect.objectContaining({ code: 'OPTION', message: expect.stringContaining(message) }),
    );
  });

  it.each<[string, string, () => tf.Tensor, string]>([
    [
      'of another rank',
      'SHAPE',
      () => tf.ones([4, 4]),
      'the input has shape [4, 4], it must be [n, channels, height, width] or [channels, height, width].',
    ],
    [
      'of other channels',
      'SHAPE',
      () => tf.ones([1, 5, 5, 2]),
      'the input has shape [1, 5, 5, 2], that is 5 channels, but inChannels is 2.',
    ],
    [
      'smaller than the kernel',
      'SHAPE',
      () => tf.ones([1, 2, 9, 1]),
      'the input has shape [1, 2, 9, 1], that is 3 with the padding along axis 3, but the kernel spans 5.',
    ],
    [
      'of integers',
      'DTYPE',
      () => tf.ones([1, 2, 5, 5], 'int32'),
      "the input has dtype int32, it must have float32. Cast it with tf.cast(x, 'float32').",
    ],
  ])('refuses an input %s', (_, code, make, message) => {
    const layer = new Conv2d(2, 3, 3, { dilation: 2, padding: 1 });
    const x = make();
    expect(() => layer.call(x)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
    x.dispose();
    layer.dispose();
  });
});

describe('Conv1d', () => {
  it('refuses what does not fit', () => {
    expect(() => new Conv1d(2, 3, [1, 2] as never)).toThrow(
      'Conv1d: kernelSize is [1, 2], it must be one number or an array of one.',
    );
    const layer = new Conv1d(2, 3, 3);
    const inputs = [tf.ones([1, 2, 5, 5]), tf.ones([2, 2])];
    expect(() => layer.call(inputs[0]!)).toThrow('it must be [n, channels, length] or [channels, length].');
    expect(() => layer.call(inputs[1]!)).toThrow(
      'the input has shape [2, 2], that is 2 with the padding along axis 1, but the kernel spans 3.',
    );
    tf.dispose(inputs);
    layer.dispose();
  });
});
