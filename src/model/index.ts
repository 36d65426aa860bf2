export { clone } from './clone.ts';
export { type DescribedOriginal, type DescribedTensor, type Description, describe } from './describe.ts';
export { fold } from './fold.ts';
export { type MinimizeOptions, minimize } from './minimize.ts';
export { syncOptimizer } from './syncOptimizer.ts';
export { type ClipOptions, clipGradients } from './training/clipGradients.ts';
