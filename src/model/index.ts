export { clone } from './clone.ts';
export { fold } from './fold.ts';
export { syncOptimizer } from './syncOptimizer.ts';
