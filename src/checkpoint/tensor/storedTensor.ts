import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { CheckpointError, corrupt, quoted } from '../checkpointError.ts';
import type { DType, ElementArray } from './dtype.ts';
import { float8ToFloat32, isFloat8 } from './float8.ts';
import { bfloat16ToFloat32, float16ToFloat32 } from './half.ts';

/** A tensor exactly as a file has it. */
export interface StoredTensor {
  /** The element type by its name in safetensors. */
  readonly dtype: DType;
  /** The shape. */
  readonly shape: readonly number[];
  /** The elements in row-major order. F16, BF16 and the eight-bit types have their bits, BOOL has zeros and ones. */
  readonly data: ElementArray;
}

/** The number of bytes that {@link toTensor} allocates for one tensor. */
export const bytesToWiden = (dtype: DType, size: number): number =>
  dtype === 'F32' || dtype === 'I32' || dtype === 'BOOL' ? 0 : size * 4;

/**
 * Converts a stored tensor to a tensor of tfjs. Half floats and short integers are widened exactly. F64 is rounded to
 * float32, as by torch's `float()`. Long integers become int32 if they fit.
 *
 * @remarks
 * **Ownership**: the tensor belongs to the caller. Float32 and int32 data is not copied on backends that keep arrays
 * (cpu).
 *
 * @throws {@link CheckpointError} `DTYPE` if a value does not fit
 */
export function toTensor({ dtype, shape, data }: StoredTensor, name: string): Tensor {
  const make = (values: tf.TypedArray, type: 'float32' | 'int32' | 'bool'): Tensor =>
    tf.tensor(values, [...shape], type);
  if (isFloat8(dtype)) return make(float8ToFloat32(data as Uint8Array, dtype), 'float32');
  switch (dtype) {
    case 'F32':
      return make(data as Float32Array, 'float32');
    case 'F64':
      return make(rounded(data as Float64Array, name), 'float32');
    case 'F16':
      return make(float16ToFloat32(data as Uint16Array), 'float32');
    case 'BF16':
      return make(bfloat16ToFloat32(data as Uint16Array), 'float32');
    case 'BOOL':
      if ((data as Uint8Array).some((value) => value > 1)) {
        throw corrupt(`the tensor ${quoted(name)} has the type BOOL and values that are neither 0 nor 1`);
      }
      return make(data as Uint8Array, 'bool');
    case 'I32':
      return make(data as Int32Array, 'int32');
    case 'I64':
    case 'U64':
      return make(narrowed(data as BigInt64Array | BigUint64Array, dtype, name), 'int32');
    case 'U32':
      if ((data as Uint32Array).some((value) => value > 0x7fffffff)) throw misfit(name, dtype, 'int32');
      return make(Int32Array.from(data as Uint32Array), 'int32');
    default:
      return make(Int32Array.from(data as Int16Array), 'int32');
  }
}

function rounded(data: Float64Array, name: string): Float32Array {
  const values = new Float32Array(data);
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]) && Number.isFinite(data[i])) throw misfit(name, 'F64', 'float32');
  }
  return values;
}

function narrowed(data: BigInt64Array | BigUint64Array, dtype: DType, name: string): Int32Array {
  // The two halves of each number are read, because a BigInt for every element would be forty times as slow.
  const halves = new Int32Array(data.buffer, data.byteOffset, data.length * 2);
  const values = new Int32Array(data.length);
  for (let i = 0; i < values.length; i++) {
    const low = halves[2 * i]!;
    const high = halves[2 * i + 1]!;
    const fits = dtype === 'I64' ? high === low >> 31 : high === 0 && low >= 0;
    if (!fits) throw misfit(name, dtype, 'int32');
    values[i] = low;
  }
  return values;
}

const misfit = (name: string, dtype: string, type: string) =>
  new CheckpointError(
    'DTYPE',
    `the tensor ${quoted(name)} has the type ${dtype} and values that do not fit ${type}`,
    'Read it with read(name) of an opened file, or read the others one by one.',
  );

/**
 * Returns a tensor as a file has it.
 *
 * @throws {@link CheckpointError} `DTYPE` for strings and complex numbers
 */
export async function fromTensor(tensor: Tensor, name: string): Promise<StoredTensor> {
  const dtype = ({ float32: 'F32', int32: 'I32', bool: 'BOOL' } as const)[tensor.dtype as 'float32'];
  if (dtype === undefined) {
    throw new CheckpointError(
      'DTYPE',
      `the tensor ${quoted(name)} has the type ${tensor.dtype}, which a checkpoint cannot hold; it can be float32, int32 or bool`,
      'Leave it out, or cast it.',
    );
  }
  const data = (await tensor.data()) as ElementArray;
  // On the cpu backend, a cast from bool leaves the bytes of the bools under the new type.
  const isBytes = tensor.dtype !== 'bool' && data instanceof Uint8Array;
  const Own = tensor.dtype === 'int32' ? Int32Array : Float32Array;
  return { dtype, shape: tensor.shape, data: isBytes ? Own.from(data) : data };
}
