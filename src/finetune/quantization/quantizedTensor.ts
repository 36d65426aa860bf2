import { sizeOf } from '../../core/shapes.ts';

/** The integers that stand for numbers, with their scales. */
export interface QuantizedTensor {
  /** The shape of the numbers. */
  readonly shape: readonly number[];
  /** The number of scales along each axis, which divides the axis. */
  readonly scalesAlong: readonly number[];
  readonly range: readonly [min: number, max: number];
  readonly integers: Int32Array;
  readonly scale: Float32Array;
  /** The integers that stand for zero, one for each scale. */
  readonly zeroPoint: Int32Array;
}

/** Returns the index of the scale of each element, in row-major order. */
export function scaleIndices(shape: readonly number[], scalesAlong: readonly number[]): Int32Array {
  let indices = new Int32Array(1);
  for (const [axis, size] of shape.entries()) {
    const count = scalesAlong[axis]!;
    const block = size / count;
    const longer = new Int32Array(indices.length * size);
    for (let i = 0; i < longer.length; i++) {
      longer[i] = indices[Math.floor(i / size)]! * count + Math.floor((i % size) / block);
    }
    indices = longer;
  }
  return indices;
}

/** Returns the numbers: `(q − z) · s`, rounded to float32. */
export function dequantized(tensor: QuantizedTensor): Float32Array {
  const { shape, scalesAlong, integers, scale, zeroPoint } = tensor;
  const indices = scaleIndices(shape, scalesAlong);
  const numbers = new Float32Array(integers.length);
  for (let i = 0; i < numbers.length; i++) {
    const at = indices[i]!;
    numbers[i] = (integers[i]! - zeroPoint[at]!) * scale[at]!;
  }
  return numbers;
}

/** The numbers of a tensor with its grid. */
export interface GridOfNumbers extends Omit<QuantizedTensor, 'integers'> {
  readonly values: Float32Array;
}

/** Returns the integers of numbers; null if an integer of the range times the scale is not each number exactly. */
export function quantized({ values, ...grid }: GridOfNumbers): QuantizedTensor | null {
  const { shape, scalesAlong, range, scale, zeroPoint } = grid;
  if (sizeOf(shape) !== values.length) return null;
  const indices = scaleIndices(shape, scalesAlong);
  const integers = new Int32Array(values.length);
  for (let i = 0; i < integers.length; i++) {
    const at = indices[i]!;
    const q = Math.round(values[i]! / scale[at]!) + zeroPoint[at]!;
    const isExact = Math.fround((q - zeroPoint[at]!) * scale[at]!) === values[i];
    if (q < range[0] || q > range[1] || !isExact) return null;
    integers[i] = q;
  }
  return { ...grid, integers };
}
