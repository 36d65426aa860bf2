import type { HookKeys } from '../../nn/stateDict/hookKeys.ts';
import { partsOf } from '../../nn/stateDict/stateKeys.ts';
import { CheckpointError, quoted } from '../checkpointError.ts';
import type { DType } from '../tensor/dtype.ts';
import { bfloat16ToFloat32, float16ToFloat32, toBfloat16, toFloat16 } from '../tensor/half.ts';
import type { StoredTensor } from '../tensor/storedTensor.ts';
import { type PlainTensor, plainArithmetic } from './plainArithmetic.ts';

/**
 * Computes a weight from its parts in a file, in the type of the part that has its shape. It needs no backend, and
 * computes F64 in its own precision.
 *
 * @param parts - the parts in the order of their names
 * @throws {@link CheckpointError} `DTYPE` for parts that are not floating-point numbers
 */
export function foldStored(hookKeys: HookKeys, parts: readonly StoredTensor[], name: string): StoredTensor {
  const numbers = numbersOf(hookKeys, parts, name);
  const { shape, data } = hookKeys.value(numbers, plainArithmetic);
  return storedAs(typeOf(hookKeys, parts), shape, data);
}

/**
 * Computes the last part, which an older version did not save.
 *
 * @param parts - the parts, with the value of the tensor in place of the last
 * @throws {@link CheckpointError} `DTYPE` for parts that are not floating-point numbers
 */
export function unsavedPart(hookKeys: HookKeys, parts: readonly StoredTensor[], name: string): StoredTensor {
  const numbers = numbersOf(hookKeys, parts, name);
  const value = numbers[partsOf(hookKeys).at(-1)!]!;
  const { shape, data } = hookKeys.unsaved!.from(numbers, value, plainArithmetic);
  return storedAs(typeOf(hookKeys, parts), shape, data);
}

const typeOf = (hookKeys: HookKeys, parts: readonly StoredTensor[]): DType =>
  foldedType(parts[partsOf(hookKeys).indexOf(hookKeys.whole)]!.dtype);

const numbersOf = (
  hookKeys: HookKeys,
  parts: readonly StoredTensor[],
  name: string,
): Record<string, PlainTensor> =>
  Object.fromEntries(
    partsOf(hookKeys).map((part, i) => [part, { shape: parts[i]!.shape, data: floats(parts[i]!, name) }]),
  );

/** The type of a computed tensor: the type of its parts. */
export const foldedType = (dtype: string): DType =>
  dtype === 'F64' || dtype === 'F16' || dtype === 'BF16' ? dtype : 'F32';

/** Returns numbers in the form of a type in a file. */
export function storedAs(dtype: DType, shape: readonly number[], values: ArrayLike<number>): StoredTensor {
  switch (dtype) {
    case 'F64':
      return { dtype, shape, data: Float64Array.from(values) };
    case 'F16':
      return { dtype, shape, data: toFloat16(values) };
    case 'BF16':
      return { dtype, shape, data: toBfloat16(values) };
    default:
      return { dtype: 'F32', shape, data: Float32Array.from(values) };
  }
}

/** Returns the numbers of a part. */
export function floats({ dtype, data }: StoredTensor, name: string): ArrayLike<number> {
  if (dtype === 'F16') return float16ToFloat32(data as Uint16Array);
  if (dtype === 'BF16') return bfloat16ToFloat32(data as Uint16Array);
  if (dtype === 'F32' || dtype === 'F64') return data as Float32Array | Float64Array;
  throw new CheckpointError(
    'DTYPE',
    `the weight ${quoted(name)} cannot be folded: a part has the type ${dtype}`,
    'Convert it to a floating-point type.',
  );
}
