import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { registerMissingKernels } from '../../../src/kernels/missing/registerMissingKernels.ts';
import { flatten } from '../../toBeAllClose.ts';

registerMissingKernels();

/** Fixed numbers of both signs. */
const numbers = (shape: readonly number[], seed: number): tf.Tensor =>
  tf.tensor(
    Array.from({ length: tf.util.sizeFromShape([...shape]) }, (_, i) =>
      Math.sin(seed + 2.7 * i + 0.3 * i * i),
    ),
    [...shape],
  );

/** Expects a computation to have the numbers that the cpu backend has. */
async function expectAsOnCPU(compute: () => tf.Tensor | tf.Tensor[]): Promise<void> {
  const backend = tf.getBackend();
  const run = (): number[][] => tf.tidy(() => [compute()].flat().map((tensor) => flatten(tensor)));
  const ours = run();
  await tf.setBackend('cpu');
  const wanted = run();
  await tf.setBackend(backend);
  for (const [i, numbers] of ours.entries())
    expect(numbers).toBeAllClose(wanted[i]!, { relative: 1e-5, absolute: 1e-5 });
}

const side = fc.integer({ min: 4, max: 8 });
const small = fc.integer({ min: 1, max: 3 });
const geometry = fc.record({
  image: fc.tuple(small, side, side, small),
  taps: fc.tuple(small, small),
  channels: small,
  strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  pad: fc.constantFrom('valid', 'same', 1, [
    [0, 0],
    [1, 0],
    [0, 2],
    [0, 0],
  ] as tf.backend_util.ExplicitPadding),
  seed: fc.nat(100),
});

const isList = (pad: unknown): pad is readonly unknown[] => Array.isArray(pad);

/** Runs a kernel alone: the forward pass of tfjs on wasm leaves its memory for some paddings. */
const run = (name: string, inputs: Record<string, tf.Tensor>, attributes: object): tf.Tensor =>
  tf.engine().runKernel(name, inputs, attributes as never);

/** Returns the attributes of a kernel, and the shape of its output. */
function windowOf(
  image: [number, number, number, number],
  filterShape: [number, number, number, number],
  strides: number | [number, number],
  pad: unknown,
  isDepthwise: boolean,
): [attributes: object, outShape: number[]] {
  // tfjs refuses a way to round for 'same' and 'valid', which need none.
  const dimRoundingMode = typeof pad === 'string' ? undefined : 'floor';
  const { outShape } = tf.backend_util.computeConv2DInfo(
    image,
    filterShape,
    strides,
    1,
    pad as never,
    dimRoundingMode,
    isDepthwise,
  );
  return [{ strides, pad, dilations: 1, dataFormat: 'NHWC', dimRoundingMode }, outShape];
}

describe('the kernels that the wasm backend lacks', () => {
  it('have the filter gradient of conv2d, for every stride, padding and layout', async () => {
    await fc.assert(
      fc.asyncProperty(
        geometry,
        fc.boolean(),
        async ({ image, taps, channels, strides, pad, seed }, isFirst) => {
          const filterShape = [...taps, image[3], channels] as [number, number, number, number];
          const [attributes, outShape] = windowOf(image, filterShape, strides, pad, false);
          const swap = (x: tf.Tensor): tf.Tensor => (isFirst ? tf.transpose(x, [0, 3, 1, 2]) : x);
          const layout = isFirst
            ? { dataFormat: 'NCHW', pad: isList(pad) ? [pad[0], pad[3], pad[1], pad[2]] : pad }
            : {};
          await expectAsOnCPU(() => {
            const [x, dy] = [image, outShape].map((shape, i) => swap(numbers(shape, seed + i)));
            return run('Conv2DBackpropFilter', { x: x!, dy: dy! }, { ...attributes, filterShape, ...layout });
          });
        },
      ),
      { numRuns: 25 },
    );
  });

  it('have the gradients of depthwiseConv2d, for every stride and padding', async () => {
    await fc.assert(
      fc.asyncProperty(geometry, async ({ image, taps, channels, strides: [stride], pad, seed }) => {
        const filterShape = [...taps, image[3], channels] as [number, number, number, number];
        const [attributes, outShape] = windowOf(image, filterShape, stride, pad, true);
        await expectAsOnCPU(() => {
          const [x, dy, filter] = [image, outShape, filterShape].map((shape, i) => numbers(shape, seed + i));
          return [
            run('DepthwiseConv2dNativeBackpropFilter', { x: x!, dy: dy! }, { ...attributes, filterShape }),
            run(
              'DepthwiseConv2dNativeBackpropInput',
              { dy: dy!, filter: filter! },
              { ...attributes, inputShape: image },
            ),
          ];
        });
      }),
      { numRuns: 25 },
    );
  });

  it('sum segments, and leave out numbers of no segment', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -2, max: 6 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 5 }),
        fc.array(small, { maxLength: 2 }),
        async (ids, count, rest) => {
          await expectAsOnCPU(() =>
            tf.unsortedSegmentSum(numbers([ids.length, ...rest], 3), tf.tensor1d(ids, 'int32'), count),
          );
        },
      ),
      { numRuns: 25 },
    );
  });

  it('have the gradient of gather for repeated rows', async () => {
    await expectAsOnCPU(() =>
      tf.grad((table) =>
        tf.mul(
          tf.gather(
            table,
            tf.tensor2d(
              [
                [0, 2],
                [2, 2],
              ],
              [2, 2],
              'int32',
            ),
          ),
          3,
        ),
      )(numbers([4, 3], 1)),
    );
  });

  it('do not take the place of a kernel that is there', () => {
    const before = tf.getKernelsForBackend('wasm').map(({ kernelFunc }) => kernelFunc);
    registerMissingKernels();
    expect(tf.getKernelsForBackend('wasm').map(({ kernelFunc }) => kernelFunc)).toEqual(before);
  });
});
