import * as tf from '@tensorflow/tfjs-core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSafetensors, openTorch, writeSafetensors } from '../../../src/checkpoint/index.ts';
import { readAhead } from '../../../src/checkpoint/source/readAhead.ts';
import { type ByteRange, part, readNow } from '../../../src/checkpoint/source/reading.ts';
import { readBox } from '../../../src/checkpoint/tensor/slice.ts';
import { bytesOf } from '../stateDictFiles.ts';

/** A shape, and a part of it. */
const boxes = fc
  .array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 })
  .chain((shape) =>
    fc
      .tuple(...shape.map((length) => fc.integer({ min: 0, max: length })))
      .chain((begin) =>
        fc
          .tuple(...shape.map((length, axis) => fc.integer({ min: 0, max: length - begin[axis]! })))
          .map((size) => ({ shape, begin, size })),
      ),
  );

describe('a slice of a tensor of a file', () => {
  it('has the numbers of tf.slice', async () => {
    await fc.assert(
      fc.asyncProperty(boxes, async ({ shape, begin, size }) => {
        const first = tf.scalar(7);
        const whole = tf.tidy(() => tf.range(0, tf.util.sizeFromShape(shape)).reshape(shape));
        const file = await openSafetensors(await writeSafetensors({ first, whole }));
        const part = await file.slice('whole', begin, size);
        const expected = tf.slice(whole, begin, size);
        expect(part.shape).toEqual(expected.shape);
        expect([...(await part.data())]).toEqual([...(await expected.data())]);
        await file.close();
        tf.dispose([part, expected, first, whole]);
      }),
      { numRuns: 60 },
    );
  });

  it.each(['views_and_strides.pt', 'views_and_strides.legacy.pt'])(
    'has the numbers of the tensor, whatever its strides in %s',
    async (name) => {
      const file = await openTorch(bytesOf(`statedicts/${name}`));
      for (const tensor of file.names) {
        const { shape } = file.info(tensor);
        if (shape.length === 0) continue;
        const begin = shape.map((length) => Math.min(1, length));
        const [whole, part] = [await file.tensor(tensor), await file.slice(tensor, begin)];
        const expected = tf.slice(whole, begin);
        expect([...(await part.data())], tensor).toEqual([...(await expected.data())]);
        tf.dispose([whole, part, expected]);
      }
      await file.close();
    },
  );

  it.each([
    [[4], [1]],
    [[0], [5]],
    [[0, 0, 0], []],
    [[-1], [1]],
    [[0.5], [1]],
    [[0], [-2]],
  ])('that begins at %j with size %j and does not lie within the tensor is refused', async (begin, size) => {
    const zeros = tf.zeros([4, 3]);
    const file = await openSafetensors(await writeSafetensors({ zeros }));
    await expect(file.slice('zeros', begin, size)).rejects.toMatchObject({ code: 'OPTION' });
    await expect(file.slice('ones', [0])).rejects.toMatchObject({ code: 'UNKNOWN_TENSOR' });
    await file.close();
    await expect(file.slice('zeros', [0])).rejects.toMatchObject({ code: 'DISPOSED' });
    zeros.dispose();
  });

  const rangesOf = (shape: number[], begin: number[], size: number[]): ByteRange[] => {
    const ranges: ByteRange[] = [];
    const bytes = new Uint8Array(4 * tf.util.sizeFromShape(shape));
    readNow(
      readBox(shape, { begin, size }, 4, (offset, length) => {
        ranges.push({ offset, length });
        return part(bytes.length, offset, length, () => 'the tensor');
      }),
      bytes,
    );
    return ranges;
  };

  it('takes of rows their bytes and no others, in one piece', () => {
    expect(rangesOf([1000, 1000], [10, 0], [5, 1000])).toEqual([{ offset: 40_000, length: 20_000 }]);
    expect(rangesOf([100, 10, 10], [3, 2, 0], [1, 4, 10])).toEqual([{ offset: 1280, length: 160 }]);
  });

  it('takes of columns the gaps too where they are small, and not where they are large', () => {
    expect(rangesOf([4, 1000], [0, 10], [4, 5])).toEqual([{ offset: 40, length: 12_020 }]);
    expect(rangesOf([3, 100_000], [0, 10], [3, 5]).map(({ length }) => length)).toEqual([20, 20, 20]);
    const many = rangesOf([1000, 10_000], [0, 0], [1000, 1]);
    expect(Math.max(...many.map(({ length }) => length))).toBeLessThanOrEqual(2 ** 20);
    expect(many.length).toBeLessThan(50);
  });
});

describe('reading ahead', () => {
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i % 251);

  function counted(least: number, start?: Uint8Array) {
    const ranges: ByteRange[] = [];
    const source = {
      size: bytes.length,
      close: async () => {},
      async read(range: ByteRange) {
        ranges.push(range);
        return bytes.subarray(range.offset, range.offset + range.length);
      },
    };
    return { ranges, ahead: readAhead(source, least, start) };
  }

  it('asks once for a small file, however many parts are wanted', async () => {
    const { ranges, ahead } = counted(5000);
    for (let offset = 4990; offset >= 0; offset -= 10) {
      expect(await ahead.read({ offset, length: 10 })).toEqual(bytes.slice(offset, offset + 10));
    }
    expect(ranges).toEqual([{ offset: 0, length: 5000 }]);
  });

  it('asks for a large part by itself, and hands out small ones as copies', async () => {
    const { ranges, ahead } = counted(100, bytes.slice(0, 50));
    const small = await ahead.read({ offset: 10, length: 40 });
    expect([small.length, small.buffer.byteLength]).toEqual([40, 40]);
    expect(ranges).toEqual([]);
    expect(await ahead.read({ offset: 10, length: 4000 })).toEqual(bytes.slice(10, 4010));
    expect(await ahead.read({ offset: 30, length: 40 })).toEqual(bytes.slice(30, 70));
    expect(await ahead.read({ offset: 4999, length: 1 })).toEqual(bytes.slice(4999));
    expect(ranges.map(({ offset, length }) => [offset, length])).toEqual([
      [10, 4000],
      [30, 100],
      [4900, 100],
    ]);
  });
});
