import { sizeOf } from '../../../core/shapes.ts';
import { CheckpointError, corrupt, quoted } from '../../checkpointError.ts';
import type { Budget } from '../../source/budget.ts';
import type { Reading } from '../../source/reading.ts';
import { checkDType, elementSize, elementsIn, newElements } from '../../tensor/dtype.ts';
import type { Box, ReadBox } from '../../tensor/slice.ts';
import { bytesToWiden, type StoredTensor } from '../../tensor/storedTensor.ts';
import type { ParsedTensor } from '../parsedCheckpoint.ts';

/** The memory of tensors in a torch file. */
export interface TorchStorage {
  readonly key: string;
  readonly dtype: string;
  /** The number of elements. */
  readonly size: number;
  /** Reads a part, given in bytes. */
  read(offset: number, length: number): Reading<Uint8Array>;
}

/** The position of a tensor in its storage, in elements. */
export interface Layout {
  readonly offset: number;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
}

/** A tensor of a torch file. */
export class TorchTensor implements ParsedTensor {
  readonly storage: TorchStorage;
  readonly layout: Layout;
  readonly dtype: string;
  readonly requiresGrad: boolean;
  /** True if the elements are in the order of the tensor, without gaps. */
  private readonly isContiguous: boolean;
  /** The index after the last element. The first one is at the offset, because strides are not negative. */
  private readonly end: number;
  private readonly budget: Budget;

  /**
   * Makes a tensor with a layout inside of the storage.
   *
   * @throws {@link CheckpointError} `CORRUPT`
   */
  constructor(storage: TorchStorage, layout: Layout, dtype: string, requiresGrad: boolean, budget: Budget) {
    this.storage = storage;
    this.layout = layout;
    this.dtype = dtype;
    this.requiresGrad = requiresGrad;
    this.budget = budget;
    const { offset, shape, stride } = layout;
    const size = sizeOf(shape);
    // A product above 2⁵³ is not exact, but larger than every storage.
    const last = shape.reduce((sum, length, axis) => sum + (length - 1) * stride[axis]!, offset);
    this.end = size === 0 ? offset : last + 1;
    if (!(this.end <= storage.size)) {
      throw corrupt(
        `a tensor of shape [${shape.join(', ')}] and strides [${stride.join(', ')}] at ${offset} does not lie within its storage of ${storage.size} elements`,
      );
    }
    let expected = 1;
    this.isContiguous = true;
    for (let axis = shape.length - 1; axis >= 0 && size > 0; axis--) {
      if (shape[axis]! > 1 && stride[axis] !== expected) this.isContiguous = false;
      expected *= shape[axis]!;
    }
  }

  get shape(): readonly number[] {
    return this.layout.shape;
  }

  /** Returns the same text for all views of the same elements, which are tied. */
  get identity(): string {
    const { offset, shape, stride } = this.layout;
    return `${this.storage.key}|${this.dtype}|${offset}|${shape.join()}|${stride.join()}`;
  }

  *read(name: string): Reading<StoredTensor> {
    const { dtype, storage, budget, layout, end } = this;
    checkDType(dtype, name);
    const { offset, shape } = layout;
    const [size, each] = [sizeOf(shape), elementSize(dtype)!];
    budget.chargeData(
      bytesToWiden(dtype, size) + (this.isContiguous ? 0 : size * each),
      () => `the tensor ${quoted(name)}`,
    );
    const bytes = yield* storage.read(offset * each, (end - offset) * each);
    const elements = elementsIn(bytes, dtype);
    if (this.isContiguous) return { dtype, shape, data: elements };
    const data = newElements(dtype, size);
    gather(elements, layout, data);
    return { dtype, shape, data };
  }

  *slice(name: string, box: Box, readBox: ReadBox): Reading<StoredTensor> {
    const { dtype, storage, budget, requiresGrad } = this;
    const { offset, shape, stride } = this.layout;
    if (!this.isContiguous) {
      const start = box.begin.reduce((sum, at, axis) => sum + at * stride[axis]!, offset);
      const layout = { offset: box.size.includes(0) ? offset : start, shape: box.size, stride };
      return yield* new TorchTensor(storage, layout, dtype, requiresGrad, budget).read(name);
    }
    checkDType(dtype, name);
    const each = elementSize(dtype)!;
    budget.chargeData(bytesToWiden(dtype, sizeOf(box.size)), () => `the tensor ${quoted(name)}`);
    const bytes = yield* readBox(shape, box, each, (start, length) =>
      storage.read(offset * each + start, length),
    );
    return { dtype, shape: box.size, data: elementsIn(bytes, dtype) };
  }
}

/** Copies the elements of a view in row-major order. The view begins at the first given element. */
function gather(
  from: { readonly [i: number]: number | bigint },
  { shape, stride }: Layout,
  to: { [i: number]: number | bigint; readonly length: number },
): void {
  const index = shape.map(() => 0);
  let position = 0;
  for (let i = 0; i < to.length; i++) {
    to[i] = from[position]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position += stride[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      position -= shape[axis]! * stride[axis]!;
      index[axis] = 0;
    }
  }
}

/** A tensor of an unsupported kind. It is listed, and refused when it is read. */
export class RefusedTensor implements ParsedTensor {
  readonly dtype: string;
  readonly shape: readonly number[];

  /**
   * @param kind - `quantized`, `sparse`, or a type
   * @param shape - the shape, if the file has it
   */
  constructor(kind: string, shape: readonly number[]) {
    this.dtype = kind;
    this.shape = shape;
  }

  slice(name: string): Reading<StoredTensor> {
    return this.read(name);
  }

  // biome-ignore lint/correctness/useYield: a reading that fails before it reads
  *read(name: string): Reading<StoredTensor> {
    throw new CheckpointError(
      'UNSUPPORTED',
      `the tensor ${quoted(name)} is ${this.dtype}, which tfjs has nothing for`,
      'Make it dense (dequantize(), to_dense()) before torch.save, or read the others one by one.',
    );
  }
}
