/**
 * Fine-tuning: verbs and files for adapters, pruning and quantization. The maps themselves are in `tfjs-parametrize`.
 *
 * @module
 */
export {};
