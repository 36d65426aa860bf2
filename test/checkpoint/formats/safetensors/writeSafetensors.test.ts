import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSafetensors, writeSafetensors } from '../../../../src/checkpoint/index.ts';

const element = {
  float32: fc.float({ noNaN: false }),
  int32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  bool: fc.constantFrom(0, 1),
};

type Type = keyof typeof element;

const anyTensor = fc
  .record({
    dtype: fc.constantFrom<Type>('float32', 'int32', 'bool'),
    shape: fc.array(fc.nat({ max: 3 }), { maxLength: 4 }),
  })
  .chain(({ dtype, shape }) => {
    const size = shape.reduce((product, length) => product * length, 1);
    const values = fc.array<number>(element[dtype], { minLength: size, maxLength: size });
    return values.map((data) => ({ dtype, shape, data }));
  });

const anyName = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    'constructor.prototype.x',
    '',
    '0',
    '\0',
    'ключ',
    '"\\',
  ),
);

const anyMap = fc
  .array(fc.tuple(anyName, anyTensor), { maxLength: 8 })
  .map((entries) => new Map(entries.filter(([name]) => name !== '__metadata__')));

type Values = ReadonlyMap<string, { dtype: Type; shape: number[]; data: number[] }>;

function tensorsOf(values: Values): tf.NamedTensorMap {
  const tensors = [...values].map(([name, { data, shape, dtype }]): [string, tf.Tensor] => {
    const array =
      dtype === 'float32'
        ? new Float32Array(data)
        : dtype === 'int32'
          ? new Int32Array(data)
          : new Uint8Array(data);
    return [name, tf.tensor(array, shape, dtype)];
  });
  return Object.fromEntries(tensors);
}

const headerOf = (bytes: Uint8Array): string => {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  return new TextDecoder().decode(bytes.subarray(8, 8 + length));
};

describe('writeSafetensors', () => {
  it('writes what readSafetensors reads, bit for bit', async () => {
    await fc.assert(
      fc.asyncProperty(anyMap, fc.dictionary(anyName, fc.string()), async (values, metadata) => {
        const tensors = tensorsOf(values);
        const bytes = await writeSafetensors(tensors, metadata);
        const back = readSafetensors(bytes);
        expect(Object.keys(back.tensors).sort()).toEqual([...values.keys()].sort());
        expect({ ...back.metadata }).toEqual({ ...metadata });
        for (const [name, { shape, dtype }] of values) {
          const [first, second] = [tensors[name]!, back.tensors[name]!];
          expect([second.shape, second.dtype]).toEqual([shape, dtype]);
          // `toEqual` tells -0 from 0, and takes NaN for NaN.
          expect([...(await second.data())]).toEqual([...(await first.data())]);
        }
        tf.dispose([tensors, back.tensors]);
      }),
    );
  });

  it('writes the same file for the same tensors, in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(anyMap, async (values) => {
        const [map, reversed] = [tensorsOf(values), tensorsOf(new Map([...values].reverse()))];
        const metadata = { b: '2', a: '1' };
        const bytes = await writeSafetensors(map, metadata);
        expect(await writeSafetensors(reversed, { a: '1', b: '2' })).toEqual(bytes);
        tf.dispose([map, reversed]);
      }),
    );
  });

  it('aligns every tensor, pads its header with spaces and puts the metadata first, as the reference does', async () => {
    const map = { a: tf.tensor([true], [1], 'bool'), z: tf.tensor1d([1, 2]), b: tf.tensor1d([3]) };
    const bytes = await writeSafetensors(map, { format: 'pt' });
    tf.dispose(map);
    const header = headerOf(bytes);
    expect(header.length % 8).toBe(0);
    expect(header.trimEnd()).toBe(
      '{"__metadata__":{"format":"pt"},' +
        '"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},' +
        '"z":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},' +
        '"a":{"dtype":"BOOL","shape":[1],"data_offsets":[12,13]}}',
    );
    expect(bytes.length).toBe(8 + header.length + 13);
  });

  it('refuses what the format cannot hold, and leaks nothing', async () => {
    const text = tf.tensor(['a'], [1], 'string');
    await expect(writeSafetensors({ text })).rejects.toMatchObject({
      code: 'DTYPE',
      name: 'CheckpointError',
    });
    text.dispose();
    const scalar = tf.scalar(1);
    await expect(writeSafetensors({ __metadata__: scalar })).rejects.toMatchObject({ code: 'OPTION' });
    await expect(writeSafetensors({ scalar }, { epoch: 3 as never })).rejects.toMatchObject({
      code: 'OPTION',
      message: expect.stringContaining("'epoch'"),
    });
    scalar.dispose();
  });
});

describe('readSafetensors', () => {
  const file = (header: string, data: Uint8Array = new Uint8Array(0)): Uint8Array => {
    const json = new TextEncoder().encode(header);
    const bytes = new Uint8Array(8 + json.length + data.length);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
    bytes.set(json, 8);
    bytes.set(data, 8 + json.length);
    return bytes;
  };
  const one = (dtype: string, data: Uint8Array): Uint8Array =>
    file(`{"x":{"dtype":"${dtype}","shape":[2],"data_offsets":[0,${data.length}]}}`, data);
  const bytesIn = (array: ArrayBufferView): Uint8Array => new Uint8Array(array.buffer);

  it.each([
    ['U16', new Uint16Array([1, 65535]), 'int32', [1, 65535]],
    ['U32', new Uint32Array([1, 2 ** 31 - 1]), 'int32', [1, 2 ** 31 - 1]],
    ['U64', new BigUint64Array([1n, 2n ** 31n - 1n]), 'int32', [1, 2 ** 31 - 1]],
    ['I64', new BigInt64Array([-(2n ** 31n), 2n ** 31n - 1n]), 'int32', [-(2 ** 31), 2 ** 31 - 1]],
    ['F64', new Float64Array([0.1, -Infinity]), 'float32', [Math.fround(0.1), -Infinity]],
  ] as const)('reads %s', async (dtype, array, type, values) => {
    const { x } = readSafetensors(one(dtype, bytesIn(array))).tensors;
    expect(x!.dtype).toBe(type);
    expect([...(await x!.data())]).toEqual(values);
    x!.dispose();
  });

  it.each([
    ['U32', new Uint32Array([1, 2 ** 31])],
    ['U64', new BigUint64Array([1n, 2n ** 31n])],
    ['I64', new BigInt64Array([0n, 2n ** 31n])],
    ['I64', new BigInt64Array([0n, -(2n ** 31n) - 1n])],
    ['I64', new BigInt64Array([0n, 2n ** 32n])],
    ['F64', new Float64Array([0, 1e39])],
  ] as const)('refuses a %s that does not fit', (dtype, array) => {
    expect(() => readSafetensors(one(dtype, bytesIn(array)))).toThrow(
      expect.objectContaining({ code: 'DTYPE', message: expect.stringContaining("'x'") }),
    );
  });

  it.each([
    ['a BOOL that is 2', one('BOOL', new Uint8Array([0, 2]))],
    [
      'overlapping tensors',
      file(
        '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
        new Uint8Array(1),
      ),
    ],
    ['bytes after the last tensor', file('{}', new Uint8Array(1))],
    ['metadata that is no text', file('{"__metadata__":{"a":1}}')],
    ['metadata that is a list', file('{"__metadata__":[]}')],
    [
      'a rank of 65',
      file(`{"a":{"dtype":"U8","shape":[${Array(65).fill(1)}],"data_offsets":[0,1]}}`, new Uint8Array(1)),
    ],
  ])('refuses %s', (_, bytes) => {
    expect(() => readSafetensors(bytes)).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
  });

  it('reads a Buffer of Node.js, whose slices are views, at any place', async () => {
    const bytes = one('F32', bytesIn(new Float32Array([1, 2])));
    for (let shift = 0; shift < 8; shift++) {
      const buffer = Buffer.concat([Buffer.alloc(shift), bytes]).subarray(shift);
      const { x } = readSafetensors(buffer).tensors;
      expect([...(await x!.data())]).toEqual([1, 2]);
      x!.dispose();
    }
  });

  it('reads from the middle of a buffer, at any place', async () => {
    const bytes = one('F32', bytesIn(new Float32Array([1, 2])));
    for (let shift = 0; shift < 8; shift++) {
      const whole = new Uint8Array(bytes.length + shift + 3).fill(255);
      whole.set(bytes, shift);
      const { x } = readSafetensors(whole.subarray(shift, shift + bytes.length)).tensors;
      expect([...(await x!.data())]).toEqual([1, 2]);
      x!.dispose();
    }
  });
});
