import { CheckpointError } from '../checkpointError.ts';

const MiB = 1024 * 1024;

/**
 * The memory that reading a file may take, in bytes: a few megabytes, plus a few times the size of the file. A file of
 * some hundred bytes can claim terabytes: by false sizes, strides of zero, compression, or objects that hold themselves
 * twice. Each allocation is charged here first.
 */
export class Budget {
  private readonly size: number;
  private objects: number;
  private data: number;
  private isPerRead = false;

  /** @param size - the number of bytes of the file */
  constructor(size: number) {
    this.size = size;
    // Thousands of tiny tensors take about ten times their bytes in a pickle. A gigabyte allows about a million of
    // them. With more, the heap of JavaScript would be full, and the process would end.
    this.objects = Math.min(8 * MiB + 16 * size, 1024 * MiB);
    this.data = 12 * MiB + 7 * size;
  }

  /**
   * Charges memory for objects: of pickles, lists, names. A negative number gives memory back.
   *
   * @param what - the purpose; called only for the error
   * @throws {@link CheckpointError} `LIMIT` if too little memory is left
   */
  chargeObjects(bytes: number, what: () => string): void {
    this.objects -= bytes;
    if (this.objects < 0) throw this.exceeded(what);
  }

  /**
   * Charges memory for the elements of a tensor.
   *
   * @throws {@link CheckpointError} `LIMIT` if too little memory is left
   */
  chargeData(bytes: number, what: () => string): void {
    if (bytes > this.data) throw this.exceeded(what);
    if (!this.isPerRead) this.data -= bytes;
  }

  /**
   * Charges memory for unpacked data, which the file keeps.
   *
   * @throws {@link CheckpointError} `LIMIT` if too little memory is left
   */
  chargeUnpacked(bytes: number, what: () => string): void {
    if (bytes > this.data) throw this.exceeded(what);
    this.data -= bytes;
  }

  /** Lets each tensor take all remaining memory. The caller reads tensors one by one, any number of times. */
  perRead(): void {
    this.isPerRead = true;
  }

  /**
   * Remembers the memory that is left for objects. The returned function gives back the later charges, whose objects
   * are garbage.
   */
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
