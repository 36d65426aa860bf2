import * as tf from '@tensorflow/tfjs-core';
import { unzipSync, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../../../../src/checkpoint/formats/torch/crc32.ts';
import { readZipDirectory } from '../../../../src/checkpoint/formats/torch/zipDirectory.ts';
import { readTorch } from '../../../../src/checkpoint/index.ts';
import { readNow } from '../../../../src/checkpoint/source/reading.ts';
import { bytesOf } from '../../stateDictFiles.ts';

const original = bytesOf('statedicts/views_and_strides.pt');

async function valuesOf(bytes: Uint8Array, options = {}): Promise<Record<string, number[]>> {
  const { tensors } = readTorch(bytes, options);
  const values: Record<string, number[]> = {};
  for (const [name, tensor] of Object.entries(tensors)) values[name] = [...(await tensor.data())];
  tf.dispose(tensors);
  return values;
}

const indexOf = (bytes: Uint8Array, signature: number): number => {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let at = bytes.length - 4; at >= 0; at--) if (view.getUint32(at, true) === signature) return at;
  throw new Error('not there');
};

/** Leaves counts and offsets to the end of large archives, which torch writes for small ones too. */
function asZip64(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  expect(indexOf(copy, 0x06064b50)).toBeGreaterThan(0);
  const end = new DataView(copy.buffer, indexOf(copy, 0x06054b50));
  for (const at of [8, 10]) end.setUint16(at, 0xffff, true);
  for (const at of [12, 16]) end.setUint32(at, 0xffffffff, true);
  return copy;
}

describe('an archive', () => {
  it('is read when it was compressed', async () => {
    const compressed = zipSync(unzipSync(original), { level: 9 });
    expect(compressed.length).toBeLessThan(original.length);
    expect(await valuesOf(compressed)).toEqual(await valuesOf(original));
    expect(await valuesOf(compressed, { checkCrc: true })).toEqual(await valuesOf(original));
  });

  it('is read when it ends as a large one does', async () => {
    expect(await valuesOf(asZip64(original))).toEqual(await valuesOf(original));
  });

  it('is read with a comment, or with what was appended', async () => {
    const end = indexOf(original, 0x06054b50);
    const commented = new Uint8Array([...original, ...new TextEncoder().encode('hello')]);
    new DataView(commented.buffer).setUint16(end + 20, 5, true);
    expect(await valuesOf(commented)).toEqual(await valuesOf(original));
  });

  it('with a changed byte is refused if checksums are verified, else the byte is in the tensor', async () => {
    const { offset } = readNow(readZipDirectory(original.length), original).get('views_and_strides/data/0')!;
    const damaged = original.slice();
    const start = offset + 30 + damaged[offset + 26]! + damaged[offset + 28]! + 256 * damaged[offset + 29]!;
    damaged[start + 4]! ^= 0x40;
    expect(() => readTorch(damaged, { checkCrc: true })).toThrow(
      expect.objectContaining({ code: 'CORRUPT', message: expect.stringContaining('checksum') }),
    );
    expect(await valuesOf(damaged)).not.toEqual(await valuesOf(original));
    expect(await valuesOf(original, { checkCrc: true })).toEqual(await valuesOf(original));
  });

  it.each([
    ['no header', 0, 'has no header'],
    ['another name in its header', 30, 'has another name in its header'],
    ['a header that reaches over its end', 29, 'reaches into what follows it'],
  ])('with an entry with %s is refused', (_, place, text) => {
    const damaged = original.slice();
    const { offset } = readNow(readZipDirectory(original.length), original).get('views_and_strides/data/0')!;
    damaged[offset + place]! ^= 0x40;
    expect(() => readTorch(damaged)).toThrow(
      expect.objectContaining({ code: 'CORRUPT', message: expect.stringContaining(text) }),
    );
  });

  it('that would unpack to more than a file of its size can need is refused before it is unpacked', () => {
    const entries = unzipSync(original);
    const bomb = zipSync(
      { ...entries, 'views_and_strides/data/0': new Uint8Array(20 * 2 ** 20) },
      { level: 9 },
    );
    expect(bomb.length).toBeLessThan(100_000);
    expect(() => readTorch(bomb)).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
    const large = zipSync({
      ...entries,
      'views_and_strides/data.pkl': new Uint8Array(20 * 2 ** 20).fill(0x4e),
    });
    expect(() => readTorch(large)).toThrow(expect.objectContaining({ code: 'LIMIT' }));
  });
});

describe('crc32', () => {
  it('is the checksum that zip archives have', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array(0))).toBe(0);
  });
});
