import { CheckpointError } from './checkpointError.ts';

const MiB = 1024 * 1024;

/**
 * The memory that reading a file may take, in bytes: a few megabytes, and a few times the size of the file. A file of some
 * hundred bytes can claim terabytes (by sizes that it only states, by strides of zero, by compression, by objects that hold
 * themselves twice); each of these is charged here before it is allocated.
 */
export class Budget {
  private readonly size: number;
  private left: number;

  /** @param size - bytes in the file */
  constructor(size: number) {
    this.size = size;
    this.left = 10 * MiB + 6 * size;
  }

  /**
   * Takes a part of the budget.
   *
   * @param what - what it is for; called for the error only
   * @throws {@link CheckpointError} `LIMIT` if there is not as much left
   */
  charge(bytes: number, what: () => string): void {
    this.left -= bytes;
    if (this.left >= 0) return;
    throw new CheckpointError(
      'LIMIT',
      `${what()} would take more memory than a file of ${this.size} bytes can need. Do not trust the file; if you made it, save its tensors contiguous and uncompressed.`,
    );
  }
}
