/**
 * A small torch.nn: modules in torch's layouts, with its names, defaults, initialization and keys.
 *
 * @module
 */
import './model/spelling/spellings.ts';

export * from './nn/index.ts';
