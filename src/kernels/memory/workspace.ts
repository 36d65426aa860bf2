import type { Numbers } from '../../engine/cpuStorage.ts';
import type { Routines } from '../simd/routines.ts';

/** Gets the addresses of the inputs and of the output, and the number of numbers. */
type Visit = (inputs: readonly number[], output: number, size: number) => void;

/** Gets the same as {@link Visit} for slices, and for tensors with one number for each slice. `size` counts slices. */
type VisitRows = (
  inputs: readonly number[],
  output: number,
  ofEach: readonly number[],
  outputOfEach: number,
  size: number,
) => void;

/** Tensors of slices of `length` numbers, and tensors with one number for each slice. */
interface RowTensors<Tensor> {
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  readonly ofEach: readonly Tensor[];
  readonly outputOfEach: Tensor;
  readonly count: number;
  readonly length: number;
}

/**
 * The memory that routines work in. It holds the tensors themselves, or it is a small memory into which pieces are
 * copied.
 */
export interface Workspace<Tensor> {
  readonly routines: Routines;
  readonly memory: { readonly buffer: ArrayBufferLike };
  /** The longest slice that {@link rows} takes. */
  readonly longestRow: number;
  /**
   * Returns the numbers of a tensor, for work that is done once for each norm. The array is valid until the memory
   * grows.
   */
  numbers(tensor: Tensor): Numbers;
  /** Visits all slices, many at a time. */
  rows(tensors: RowTensors<Tensor>, visit: VisitRows): void;
  /** Visits `size` numbers from `start` on. Each piece but the last has a multiple of `multiple` numbers. */
  pieces(
    inputs: readonly Tensor[],
    output: Tensor | null,
    start: number,
    size: number,
    multiple: number,
    visit: Visit,
  ): void;
  /**
   * Calls `use` with the address, a multiple of 8, of this many free bytes, all 0. `use` may visit pieces of `multiple`
   * numbers.
   */
  withScratch(bytes: number, multiple: number, use: (address: number) => void): void;
}
