import { CheckpointError } from '../checkpointError.ts';

const MiB = 1024 * 1024;

/**
 * The memory that reading a file may take, in bytes: a few megabytes, and a few times the size of the file. A file of
 * some hundred bytes can claim terabytes (by sizes that it only states, by strides of zero, by compression, by objects
 * that hold themselves twice); each of these is charged here before it is allocated.
 */
export class Budget {
  private readonly size: number;
  private objects: number;
  private data: number;
  private isPerRead = false;

  /** @param size - bytes in the file */
  constructor(size: number) {
    this.size = size;
    // Thousands of tiny tensors take about ten times their bytes in a pickle. A gigabyte would be a million of them;
    // more ends the process, because the heap of JavaScript is full.
    this.objects = Math.min(8 * MiB + 16 * size, 1024 * MiB);
    this.data = 12 * MiB + 7 * size;
  }

  /**
   * Takes memory for objects: of pickles, lists, names. A negative number gives it back.
   *
   * @param what - what it is for; called for the error only
   * @throws {@link CheckpointError} `LIMIT` if there is not as much left
   */
  chargeObjects(bytes: number, what: () => string): void {
    this.objects -= bytes;
    if (this.objects < 0) throw this.exceeded(what);
  }

  /**
   * Takes memory for the elements of a tensor.
   *
   * @throws {@link CheckpointError} `LIMIT` if there is not as much left
   */
  chargeData(bytes: number, what: () => string): void {
    if (bytes > this.data) throw this.exceeded(what);
    if (!this.isPerRead) this.data -= bytes;
  }

  /**
   * Takes memory for what is unpacked, which the file keeps.
   *
   * @throws {@link CheckpointError} `LIMIT` if there is not as much left
   */
  chargeUnpacked(bytes: number, what: () => string): void {
    if (bytes > this.data) throw this.exceeded(what);
    this.data -= bytes;
  }

  /** From now on each tensor may take what is left: the caller reads them one by one, as often as it likes. */
  perRead(): void {
    this.isPerRead = true;
  }

  /** Remembers what is left for objects; the function takes back what was charged since, because it is garbage. */
  attempt(): () => void {
    const { objects } = this;
    return () => {
      this.objects = objects;
    };
  }

  private exceeded(what: () => string): CheckpointError {
    return new CheckpointError(
      'LIMIT',
      `${what()} would take more memory than a file of ${this.size} bytes can need`,
      'Do not trust the file; if you made it, save its tensors contiguous and uncompressed.',
    );
  }
}
