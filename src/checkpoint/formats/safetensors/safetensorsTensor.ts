import { sizeOf } from '../../../core/shapes.ts';
import { quoted } from '../../checkpointError.ts';
import type { Budget } from '../../source/budget.ts';
import { part, type Reading } from '../../source/reading.ts';
import { checkDType, elementSize, elementsIn } from '../../tensor/dtype.ts';
import type { Box, ReadBox } from '../../tensor/slice.ts';
import { bytesToWiden, type StoredTensor } from '../../tensor/storedTensor.ts';
import type { ParsedTensor } from '../parsedCheckpoint.ts';

/** The properties of a safetensors file that its tensors use. */
export interface SafetensorsFile {
  /** The size in bytes. */
  readonly size: number;
  readonly budget: Budget;
}

/** One tensor of a file. It is a class because a file may have many tensors, and closures are larger. */
export class SafetensorsTensor implements ParsedTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** The offset of the first byte in the file. */
  readonly offset: number;
  /** The number of bytes. */
  readonly length: number;
  private readonly file: SafetensorsFile;

  constructor(
    dtype: string,
    shape: readonly number[],
    offset: number,
    length: number,
    file: SafetensorsFile,
  ) {
    this.dtype = dtype;
    this.shape = shape;
    this.offset = offset;
    this.length = length;
    this.file = file;
  }

  *read(name: string): Reading<StoredTensor> {
    const { dtype, shape, offset, length, file } = this;
    const what = () => `the tensor ${quoted(name)}`;
    checkDType(dtype, name);
    file.budget.chargeData(bytesToWiden(dtype, sizeOf(shape)), what);
    const bytes = yield* part(file.size, offset, length, what);
    return { dtype, shape, data: elementsIn(bytes, dtype) };
  }

  *slice(name: string, box: Box, readBox: ReadBox): Reading<StoredTensor> {
    const { dtype, shape, offset, file } = this;
    const what = () => `the tensor ${quoted(name)}`;
    checkDType(dtype, name);
    file.budget.chargeData(bytesToWiden(dtype, sizeOf(box.size)), what);
    const bytes = yield* readBox(shape, box, elementSize(dtype)!, (start, size) =>
      part(file.size, offset + start, size, what),
    );
    return { dtype, shape: box.size, data: elementsIn(bytes, dtype) };
  }
}
