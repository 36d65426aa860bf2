/**
 * Checkpoints: safetensors and PyTorch files, read without running anything in them.
 *
 * @module
 */

export type { Catalog, RecipeStep } from '../stateDict/recipe.ts';
export type { ModelTypes, StatefulModel } from '../stateDict/stateView.ts';
export { CheckpointError } from './checkpointError.ts';
export type { CheckpointFile, TensorInfo } from './file/checkpointFile.ts';
export { openSafetensors } from './file/openSafetensors.ts';
export { openTorch } from './file/openTorch.ts';
export { readSafetensors, type SafetensorsCheckpoint } from './formats/safetensors/readSafetensors.ts';
export { writeSafetensors } from './formats/safetensors/writeSafetensors.ts';
export { PythonObject } from './formats/torch/pythonObject.ts';
export { readTorch, type TorchCheckpoint } from './formats/torch/readTorch.ts';
export type { TorchOptions } from './formats/torch/torchOptions.ts';
export type { CheckpointReport } from './load/checkpointReport.ts';
export { type LoadCheckpointOptions, loadCheckpoint } from './load/loadCheckpoint.ts';
export type { OptimizerReport } from './load/optimizerReport.ts';
export type { Rename } from './load/selectState.ts';
export type { CheckpointNote, VectorNote } from './metadata/checkpointNote.ts';
export { type CheckpointTarget, type SaveCheckpointOptions, saveCheckpoint } from './save/saveCheckpoint.ts';
export type { CheckpointSource, OpenOptions, Progress } from './source/byteSource.ts';
export type { DType, ElementArray } from './tensor/dtype.ts';
export type { StoredTensor } from './tensor/storedTensor.ts';
