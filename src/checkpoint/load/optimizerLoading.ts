import type { NamedTensorMap, Optimizer } from '@tensorflow/tfjs-core';
import { checkRestorable } from '../checkRestorable.ts';
import type { OptimizerNotes } from '../metadata/optimizerText.ts';
import type { OptimizerReport } from './optimizerReport.ts';
import type { OwnerPaths } from './ownerPaths.ts';
import type { Asked, StoredState } from './readState.ts';
import { restoringOptimizer, storedOptimizer } from './restoreOptimizer.ts';
import { type Rename, renamer } from './selectState.ts';

const caller = 'loadCheckpoint';

/** The loading of an optimizer together with its model. */
export interface OptimizerLoading {
  /** Returns the names of the tensors of the optimizer in the file. */
  readonly names: NonNullable<Asked['others']>;
  /** Loads the model by a function, and then the optimizer, all or nothing. */
  load<T>(
    state: StoredState & { readonly others: NamedTensorMap },
    options: {
      readonly strict: boolean;
      readonly rename: Rename | undefined;
      readonly owners: OwnerPaths;
    },
    load: () => T,
  ): { readonly loaded: T; readonly report: OptimizerReport };
}

/**
 * Prepares the loading of an optimizer.
 *
 * @throws {@link ParametrizeError} `OPTION`
 */
export function optimizerLoading(model: object, optimizer: Optimizer): OptimizerLoading {
  checkRestorable(caller, optimizer);
  let notes: OptimizerNotes | null = null;
  return {
    names: (metadata, has) => {
      const stored = storedOptimizer(optimizer, metadata, has);
      notes = stored.notes;
      return stored.names;
    },
    load: ({ selection: { prefix }, others }, { strict, rename, owners }, load) => {
      const renamed = renamer(rename);
      const pathOf = (key: string): string | null =>
        owners(key) ?? (key.startsWith(prefix) ? renamed(key.slice(prefix.length)) : null);
      return restoringOptimizer(
        { caller, model, optimizer, strict, pathOf },
        { notes, tensors: others },
        load,
      );
    },
  };
}
