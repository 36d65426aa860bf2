import { lora, loraBias, parametrize } from 'tfjs-parametrize';
import type { Network } from './network.ts';

/** The digits that the base is trained on, and those that it has never seen. */
export const oldDigits = [0, 1, 2, 3, 4];
export const newDigits = [5, 6, 7, 8, 9];

/** The head needs a higher rank: five of its rows have never been of use. */
const parts = [
  { match: ['conv1', 'conv2', 'hidden'], rank: 4, alpha: 8 },
  { match: 'head', rank: 8, alpha: 16 },
];

/** Gives every weight and bias an adapter. Nothing else trains then. */
export function addAdapter(network: Network, adapter: string): void {
  parametrize(
    network,
    parts.flatMap(({ match, rank, alpha }) => [
      { match, apply: lora, options: { adapter, rank, alpha } },
      { match, name: 'bias', apply: loraBias, options: { adapter, rank, alpha } },
    ]),
  );
}

/** The number of all elements that optimizers change now. */
export const trainedCount = (network: Network): number =>
  network
    .parameters()
    .filter(({ trainable }) => trainable)
    .reduce((sum, { size }) => sum + size, 0);
