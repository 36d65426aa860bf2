/**
 * Checkpoints: safetensors and PyTorch files, read without running anything in them.
 *
 * @module
 */
export type { CheckpointSource, OpenOptions, Progress } from './byteSource.ts';
export { CheckpointError } from './checkpointError.ts';
export type { CheckpointFile, TensorInfo } from './checkpointFile.ts';
export type { DType, ElementArray } from './dtype.ts';
export { openSafetensors } from './openSafetensors.ts';
export { openTorch } from './openTorch.ts';
export type { TorchOptions } from './parseTorch.ts';
export { readSafetensors, type Safetensors } from './readSafetensors.ts';
export { readTorch, type TorchCheckpoint } from './readTorch.ts';
export type { StoredTensor } from './storedTensor.ts';
export { writeSafetensors } from './writeSafetensors.ts';
