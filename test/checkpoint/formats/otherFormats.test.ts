import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../../src/checkpoint/file/openCheckpoint.ts';
import { openSafetensors, openTorch, readSafetensors, readTorch } from '../../../src/checkpoint/index.ts';

const bytesOf = (...parts: (string | number[])[]): Uint8Array =>
  Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === 'string' ? [...part].map((letter) => letter.charCodeAt(0)) : part,
    ),
  );

const zeros = (length: number): number[] => new Array<number>(length).fill(0);

const files: [title: string, bytes: Uint8Array, message: RegExp][] = [
  [
    'ONNX with a producer',
    bytesOf([8, 8, 0x12, 7], 'pytorch', [0x1a, 5], '2.1.0', [0x3a, 0x80, 2], zeros(256)),
    /ONNX/,
  ],
  [
    'ONNX without a producer',
    bytesOf([8, 9, 0x3a, 0x80, 2], zeros(256), [0x42, 4, 0x0a, 0, 0x10, 17]),
    /ONNX/,
  ],
  [
    'ONNX of a later version, operator sets first',
    bytesOf([8, 13, 0x42, 4, 0x0a, 0, 0x10, 17, 0x3a, 2, 0, 0]),
    /ONNX/,
  ],
  ['a SavedModel', bytesOf([8, 1, 0x12, 0x20, 0x0a, 4], zeros(40)), /SavedModel.*tensorflowjs_converter/],
  ['TensorFlow Lite', bytesOf([0x1c, 0, 0, 0], 'TFL3', zeros(60)), /TensorFlow Lite/],
  ['msgpack of Flax', bytesOf([0x81, 0xa6], 'params', [0x82, 0xa5], 'Dense', zeros(8)), /msgpack.*flax/],
  ['msgpack with a long first key', bytesOf([0xde, 0, 2, 0xd9, 3], 'abc', [0xc7, 1, 1, 0]), /msgpack/],
  ['a pickle of protocol 0', bytesOf('(dp0\nVweight\np1\nI1\ns.'), /pickle of protocol 0 or 1.*torch\.save/],
  [
    'a pickle of protocol 0 of an OrderedDict',
    bytesOf('ccollections\nOrderedDict\np0\n(tR.'),
    /pickle of protocol 0 or 1/,
  ],
  [
    'a pickle of protocol 1',
    bytesOf('}q', [0], '(X', [1, 0, 0, 0], 'wq', [1], 'K', [1], 'u.'),
    /pickle of protocol 0 or 1/,
  ],
  ['a tar archive', bytesOf('model/weights', zeros(244), 'ustar', zeros(300)), /tar archive/],
  ['gzip', bytesOf([0x1f, 0x8b], zeros(30)), /gzip/],
  ['xz', bytesOf([0xfd], '7zXZ', zeros(30)), /xz/],
  ['HDF5', bytesOf([0x89], 'HDF', zeros(30)), /HDF5.*tensorflowjs_converter/],
  [
    'an index of shards',
    bytesOf('{"metadata": {}, "weight_map": {"w": "a.safetensors"}}'),
    /index of shards.*loadCheckpoint/,
  ],
  [
    'a model of TensorFlow.js',
    bytesOf('{"format":"layers-model","modelTopology":{}}'),
    /tf\.loadLayersModel/,
  ],
  [
    'the index of a checkpoint of TensorFlow',
    bytesOf(zeros(60), [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]),
    /TensorFlow/,
  ],
];

describe.each(files)('a file that is %s', (_, bytes, message) => {
  it.each([
    ['readSafetensors', async () => readSafetensors(bytes)],
    ['readTorch', async () => readTorch(bytes)],
    ['openSafetensors', () => openSafetensors(bytes)],
    ['openTorch', () => openTorch(bytes)],
  ])('is called so by %s', async (caller, read) => {
    await expect(read()).rejects.toMatchObject({
      code: 'NOT_A_CHECKPOINT',
      message: expect.stringMatching(message),
    });
    await expect(read()).rejects.toThrow(`${caller}: this is not a `);
  });

  it.skipIf(/index of shards/.test(String(message)))('is called so where any format is read', async () => {
    await expect(openCheckpoint('loadCheckpoint', bytes)).rejects.toThrow(message);
  });
});

describe('a file that only begins like', () => {
  it.each([
    ['a protocol buffer', bytesOf([8, 8, 0x7f, 0x55], zeros(60))],
    ['msgpack', bytesOf([0x81, 0xa6, 0, 1, 2], zeros(60))],
    ['a pickle without an end', bytesOf('(dp0\n', zeros(60))],
  ])('%s is not called so', async (_, bytes) => {
    await expect(openCheckpoint('loadCheckpoint', bytes)).rejects.toThrow('it is neither safetensors');
  });
});
