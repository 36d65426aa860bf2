/**
 * Checkpoints: safetensors and PyTorch files, read without running anything in them.
 *
 * @module
 */
export type { ForeignModels, StatefulModel } from '../model/foreignModel.ts';
export type { Catalog, RecipeStep } from '../model/recipe.ts';
export type { CheckpointSource, OpenOptions, Progress } from './byteSource.ts';
export { CheckpointError } from './checkpointError.ts';
export type { CheckpointFile, TensorInfo } from './checkpointFile.ts';
export type { CheckpointReport } from './checkpointReport.ts';
export type { DType, ElementArray } from './dtype.ts';
export { type LoadCheckpointOptions, loadCheckpoint } from './loadCheckpoint.ts';
export { openSafetensors } from './openSafetensors.ts';
export { openTorch } from './openTorch.ts';
export type { TorchOptions } from './parseTorch.ts';
export { readSafetensors, type SafetensorsCheckpoint } from './readSafetensors.ts';
export { readTorch, type TorchCheckpoint } from './readTorch.ts';
export { type CheckpointTarget, type SaveCheckpointOptions, saveCheckpoint } from './saveCheckpoint.ts';
export type { Rename } from './selectState.ts';
export type { StoredTensor } from './storedTensor.ts';
export { writeSafetensors } from './writeSafetensors.ts';
