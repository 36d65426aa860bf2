import type { Numbers } from '../../engine/cpuStorage.ts';
import type { Routines } from '../simd/routines.ts';

/** Calls a function with where the numbers of the inputs are and where those of the output go, and how many. */
type Visit = (inputs: readonly number[], output: number, size: number) => void;

/** As {@link Visit}, for slices and a number for each of them; `size` counts slices. */
type VisitRows = (
  inputs: readonly number[],
  output: number,
  ofEach: readonly number[],
  outputOfEach: number,
  size: number,
) => void;

/** Slices of `length` numbers, and tensors with one number for each slice. */
interface RowTensors<Tensor> {
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  readonly ofEach: readonly Tensor[];
  readonly outputOfEach: Tensor;
  readonly count: number;
  readonly length: number;
}

/**
 * The memory that routines work in: the one where the tensors are, or a small one that pieces of them are copied
 * into and out of.
 */
export interface Workspace<Tensor> {
  readonly routines: Routines;
  readonly memory: { readonly buffer: ArrayBufferLike };
  /** The longest slice that {@link rows} takes. */
  readonly longestRow: number;
  /** The numbers of a tensor, for work that is done once for each norm. Valid until the memory grows. */
  numbers(tensor: Tensor): Numbers;
  /** Visits all slices, many at a time. */
  rows(tensors: RowTensors<Tensor>, visit: VisitRows): void;
  /** Visits `size` numbers from `start` on, a multiple of `multiple` at a time, but for the last. */
  pieces(
    inputs: readonly Tensor[],
    output: Tensor | null,
    start: number,
    size: number,
    multiple: number,
    visit: Visit,
  ): void;
  /**
   * Calls `use` with the address, a multiple of 8, of so many free bytes, all of them 0; it may ask for pieces of
   * `multiple` numbers.
   */
  withScratch(bytes: number, multiple: number, use: (address: number) => void): void;
}
