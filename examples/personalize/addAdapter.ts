import { freeze, lora, parametrize } from 'tfjs-parametrize';
import type { Network } from './network.ts';

/** The digits that the base is trained on, and those that it has never seen. */
export const oldDigits = [0, 1, 2, 3, 4];
export const newDigits = [5, 6, 7, 8, 9];

/**
 * Gives every layer an adapter, and freezes the biases: the base stays as it is. The head needs a higher rank, because
 * five of its rows have never been of use.
 */
export function addAdapter(network: Network, adapter: string): void {
  parametrize(network, [
    { match: 'head', apply: lora, options: { adapter, rank: 8, alpha: 16 } },
    { match: ['conv1', 'conv2', 'hidden'], apply: lora, options: { adapter, rank: 4, alpha: 8 } },
  ]);
  freeze(network, { name: 'bias' });
}

/** The number of all elements that optimizers change now. */
export const trainedCount = (network: Network): number =>
  network
    .parameters()
    .filter(({ trainable }) => trainable)
    .reduce((sum, { size }) => sum + size, 0);
