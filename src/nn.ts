/**
 * A small torch.nn: modules in torch's layouts, with its names, defaults, initialization and keys.
 *
 * @module
 */
export * from './nn/index.ts';
