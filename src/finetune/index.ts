/**
 * Fine-tuning: verbs and files for adapters, pruning and quantization. The maps themselves are in `tfjs-parametrize`.
 *
 * @module
 */
export { type MergedAdapters, type MergeOptions, mergeAdapters } from './adapters/mergeAdapters.ts';
export { type ActiveAdapters, setAdapters } from './adapters/setAdapters.ts';
export { type UnloadOptions, unloadAdapters } from './adapters/unloadAdapters.ts';
