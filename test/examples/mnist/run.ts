import type { Run } from '../../../examples/mnist/runVariant.ts';

/** A run with the accuracy of its last epoch. */
export const runOf = (name: string, seed: number, accuracy: number): Run => ({
  name,
  seed,
  spreads: [0.5, 0.1],
  losses: [1, 0.5],
  durations: [3, 4],
  accuracies: [accuracy],
  tensors: { before: 0, after: 0 },
  fold:
    name === 'plain' ? null : { folded: ['layers.0.weight'], difference: 0, largest: 3, same: 20, count: 20 },
});
