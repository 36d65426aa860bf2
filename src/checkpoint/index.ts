/**
 * Checkpoints: safetensors and PyTorch files, read without running anything in them.
 *
 * @module
 */
export type { ForeignModels, StatefulModel } from '../model/foreign/foreignModel.ts';
export type { Catalog, RecipeStep } from '../model/recipe.ts';
export { CheckpointError } from './checkpointError.ts';
export type { CheckpointFile, TensorInfo } from './file/checkpointFile.ts';
export type { DType, ElementArray } from './file/dtype.ts';
export type { StoredTensor } from './file/storedTensor.ts';
export { openSafetensors } from './safetensors/openSafetensors.ts';
export { readSafetensors, type SafetensorsCheckpoint } from './safetensors/readSafetensors.ts';
export { writeSafetensors } from './safetensors/writeSafetensors.ts';
export type { CheckpointSource, OpenOptions, Progress } from './source/byteSource.ts';
export type { CheckpointReport } from './state/checkpointReport.ts';
export { type LoadCheckpointOptions, loadCheckpoint } from './state/loadCheckpoint.ts';
export { type CheckpointTarget, type SaveCheckpointOptions, saveCheckpoint } from './state/saveCheckpoint.ts';
export type { Rename } from './state/selectState.ts';
export { openTorch } from './torch/openTorch.ts';
export type { TorchOptions } from './torch/parseTorch.ts';
export { PythonObject } from './torch/pythonObject.ts';
export { readTorch, type TorchCheckpoint } from './torch/readTorch.ts';
