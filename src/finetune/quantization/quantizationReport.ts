import { formatShape } from '../../core/shapes.ts';
import { textTable } from '../../core/textTable.ts';

/** The form of one tensor in the file of {@link saveQuantized}. */
export interface SavedTensor {
  /** The name of the tensor in the file. */
  readonly name: string;
  /** The shape of the tensor in the file, before integers are packed. */
  readonly shape: readonly number[];
  /** The type of the numbers in the file; `int4` and `uint4` are packed two to a byte. */
  readonly dtype: 'float32' | 'float16' | 'int32' | 'bool' | `${'int' | 'uint'}${4 | 8 | 16}`;
  /** The elements with one scale in the model; null for a tensor without `fakeQuantize`. */
  readonly scheme: 'perTensor' | 'perChannel' | 'perGroup' | null;
  /** True if the numbers that are read are those of the model, bit for bit, but for −0, which becomes 0. */
  readonly isExact: boolean;
  /** The number of bytes of the tensor in memory. */
  readonly bytesBefore: number;
  /** The number of bytes in the file, with scales and zero points. */
  readonly bytes: number;
  /** The reason why a tensor with `fakeQuantize` has no integers in the file; null if it has them. */
  readonly reason: string | null;
}

/** The result of {@link saveQuantized}. Converted to a string, it is a table. */
export interface QuantizationReport {
  /** The format of the file: that of `tf.loadLayersModel`, or that of {@link loadQuantized}. */
  readonly format: 'tfjs' | 'safetensors';
  /** The tensors, in the order of the model. */
  readonly tensors: readonly SavedTensor[];
  /** The number of bytes of all tensors in memory. */
  readonly bytesBefore: number;
  /** The number of bytes of all tensors in the file. */
  readonly bytes: number;
  /** Returns the table. */
  toString(): string;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

/** Makes the report of some tensors. */
export function quantizationReport(
  format: QuantizationReport['format'],
  tensors: readonly SavedTensor[],
): QuantizationReport {
  const bytesBefore = sum(tensors.map((one) => one.bytesBefore));
  const bytes = sum(tensors.map((one) => one.bytes));
  return {
    format,
    tensors,
    bytesBefore,
    bytes,
    toString: () =>
      textTable(
        [
          ['tensor', 'shape', 'in the file', 'exact', 'bytes before', 'bytes'],
          ...tensors.map(({ name, shape, dtype, isExact, ...one }) => [
            name,
            formatShape(shape),
            dtype,
            isExact ? 'yes' : 'no',
            String(one.bytesBefore),
            String(one.bytes),
          ]),
          ['all', '', '', '', String(bytesBefore), String(bytes)],
        ],
        (column) => column > 3,
      ),
  };
}
