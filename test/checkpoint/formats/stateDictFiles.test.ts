import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it } from 'vitest';
import { TorchTensor } from '../../../src/checkpoint/formats/torch/torchTensor.ts';
import {
  CheckpointError,
  openSafetensors,
  openTorch,
  readSafetensors,
  readTorch,
  type StoredTensor,
} from '../../../src/checkpoint/index.ts';
import { bfloat16ToFloat32, float16ToFloat32 } from '../../../src/checkpoint/tensor/half.ts';
import {
  bytesOf,
  type ExpectedTensor,
  expectedOf,
  isTorch,
  parsedOf,
  readable,
  refusedFiles,
} from '../stateDictFiles.ts';

const names: Record<string, string> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  bool: 'BOOL',
};

const special: Record<string, number> = { nan: Number.NaN, inf: Infinity, '-inf': -Infinity, '-0': -0 };

/** The elements as the numbers that they stand for; bigints where a number cannot. */
function numbersOf({ dtype, data }: StoredTensor): (number | bigint)[] {
  if (dtype === 'F16') return [...float16ToFloat32(data as Uint16Array)];
  if (dtype === 'BF16') return [...bfloat16ToFloat32(data as Uint16Array)];
  return [...data];
}

function expectedNumbers({ dtype, data }: ExpectedTensor): (number | bigint)[] {
  return data.map((value) => {
    if (dtype === 'int64') return BigInt(value);
    if (typeof value === 'boolean') return Number(value);
    const number = typeof value === 'string' ? special[value]! : value;
    // The shortest decimal of a float32 is not that float32 until it is rounded.
    return dtype === 'float64' ? number : Math.fround(number);
  });
}

const open = (file: string) => {
  const bytes = bytesOf(`statedicts/${file}`);
  return isTorch(file) ? openTorch(bytes) : openSafetensors(bytes);
};

const read = (file: string) => {
  const bytes = bytesOf(`statedicts/${file}`);
  return isTorch(file) ? readTorch(bytes) : readSafetensors(bytes);
};

const isOfEveryType = (file: string): boolean => file.startsWith('dtypes.');

const prototype = Reflect.ownKeys(Object.prototype);

afterEach(() => {
  expect(Reflect.ownKeys(Object.prototype)).toEqual(prototype);
});

describe.each(readable)('the state dict %s', (file) => {
  const expected = expectedOf(file);

  it('has the tensors of torch, bit for bit, when it is opened', async () => {
    const opened = await open(file);
    expect([...opened.names].sort()).toEqual(Object.keys(expected.tensors).sort());
    for (const [name, tensor] of Object.entries(expected.tensors)) {
      const stored = await opened.read(name);
      expect(opened.info(name), name).toEqual({ dtype: names[tensor.dtype], shape: tensor.shape });
      expect({ dtype: stored.dtype, shape: [...stored.shape] }, name).toEqual(opened.info(name));
      const [actual, wanted] = [numbersOf(stored), expectedNumbers(tensor)];
      expect(actual.length, name).toBe(wanted.length);
      for (const [i, value] of wanted.entries())
        expect(Object.is(actual[i], value), `${name}[${i}]`).toBe(true);
    }
    await opened.close();
  });

  it.runIf(isTorch(file))('has the strides, storages and flags of torch', () => {
    const groups = new Map<string, string[]>();
    for (const [name, tensor] of parsedOf(file).tensors) {
      expect(tensor).toBeInstanceOf(TorchTensor);
      const { layout, storage, requiresGrad } = tensor as TorchTensor;
      const wanted = expected.tensors[name]!;
      expect(
        { stride: layout.stride, offset: layout.offset, length: storage.size, requiresGrad },
        name,
      ).toEqual({
        stride: wanted.stride,
        offset: wanted.storage_offset,
        length: wanted.storage_len,
        requiresGrad: wanted.requires_grad,
      });
      groups.set(storage.key, [...(groups.get(storage.key) ?? []), name]);
    }
    const sorted = (lists: Iterable<string[]>) => [...lists].map((list) => [...list].sort()).sort();
    const shared = [...groups.values()].filter((group) => group.length > 1);
    expect(sorted(shared)).toEqual(sorted(expected.shared_storage_groups));
  });

  it.runIf(!isOfEveryType(file))('becomes tensors with those values, one for each set of ties', async () => {
    const { tensors } = read(file);
    expect(Object.keys(tensors).sort()).toEqual(Object.keys(expected.tensors).sort());
    expect(Object.getPrototypeOf(tensors)).toBeNull();
    const identities = new Map<string, tf.Tensor>();
    for (const [name, tensor] of Object.entries(expected.tensors)) {
      const actual = tensors[name]!;
      expect(actual.shape, name).toEqual(tensor.shape);
      const wanted = expectedNumbers(tensor).map(Number);
      for (const [i, value] of (await actual.data()).entries()) {
        expect(Object.is(value, wanted[i]), `${name}[${i}]`).toBe(true);
      }
      const group = expected.shared_storage_groups.findIndex((members) => members.includes(name));
      const identity = `${group < 0 ? name : group} ${tensor.storage_offset} ${tensor.shape} ${tensor.stride}`;
      expect(identities.get(identity) ?? actual, name).toBe(actual);
      identities.set(identity, actual);
    }
    expect(new Set(identities.values()).size).toBe(identities.size);
    tf.dispose(tensors);
  });
});

it.each(readable.filter(isOfEveryType))(
  'of %s what tfjs can hold is read, the rest is refused by name',
  async (file) => {
    expect(() => read(file)).toThrow(
      /^read(Torch|Safetensors): the tensor '\w+' has the type (I64|F64) and values that do not fit/,
    );
    const opened = await open(file);
    for (const name of opened.names) {
      if (['scalar_i64', 'i64_extremes', 'f64_precise'].includes(name)) {
        await expect(opened.tensor(name)).rejects.toMatchObject({ code: 'DTYPE' });
        continue;
      }
      const tensor = await opened.tensor(name);
      const expected = expectedNumbers(expectedOf(file).tensors[name]!).map(Number);
      expect([...(await tensor.data())], name).toEqual(expected);
      const type = name.startsWith('bool') ? 'bool' : /int/.test(name) ? 'int32' : 'float32';
      expect(tensor.dtype, name).toBe(type);
      tensor.dispose();
    }
    await opened.close();
  },
);

describe('refuses', () => {
  it.each([
    ['torchscript.pt', 'UNSUPPORTED', 'TorchScript'],
    ['quantized.pt', 'UNSUPPORTED', "the tensor 'q' is quantized"],
    ['complex.pt', 'DTYPE', "the tensor 'c' has the type C64"],
  ])('%s with %s', (file, code, text) => {
    expect(refusedFiles).toContain(file);
    expect(() => read(file)).toThrow(CheckpointError);
    expect(() => read(file)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(text) }),
    );
  });
});
