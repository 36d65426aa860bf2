import type { DType } from './dtype.ts';
import type { StoredTensor } from './storedTensor.ts';

/** A tensor that will be written. */
export interface PlannedTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  read(): Promise<StoredTensor>;
}
