/**
 * Fine-tuning: verbs and files for adapters, pruning and quantization. The maps themselves are in `tfjs-parametrize`.
 *
 * @module
 */
export { type MergedAdapters, type MergeOptions, mergeAdapters } from './adapters/mergeAdapters.ts';
export type { AdapterSource, AdapterTarget } from './adapters/peft/adapterFiles.ts';
export { type LoadAdapterOptions, type LoadedAdapter, loadAdapter } from './adapters/peft/loadAdapter.ts';
export type { PeftConfig } from './adapters/peft/peftConfig.ts';
export { type SaveAdapterOptions, saveAdapter } from './adapters/peft/saveAdapter.ts';
export { type ActiveAdapters, setAdapters } from './adapters/setAdapters.ts';
export { type UnloadOptions, unloadAdapters } from './adapters/unloadAdapters.ts';
export { type CubicSparsityOptions, cubicSparsity } from './pruning/cubicSparsity.ts';
export { isPruned } from './pruning/isPruned.ts';
export { type PruneGloballyOptions, pruneGlobally } from './pruning/pruneGlobally.ts';
export {
  GradualPruning,
  type PruneGraduallyOptions,
  pruneGradually,
} from './pruning/pruneGradually.ts';
export { type ModelSparsity, sparsityOf, type TensorSparsity } from './pruning/sparsityOf.ts';
export { type CalibrateOptions, calibrate } from './quantization/calibrate.ts';
export { type LoadQuantizedOptions, loadQuantized } from './quantization/loadQuantized.ts';
export type { QuantizationReport, SavedTensor } from './quantization/quantizationReport.ts';
export { type SaveQuantizedOptions, saveQuantized } from './quantization/saveQuantized.ts';
