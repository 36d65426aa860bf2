import type * as tf from '@tensorflow/tfjs-core';
import { initializeFromBatch, nn, parametrize, weightNorm } from 'tfjs-parametrize';
import type { DeepNet } from './deepNet.ts';

/** A way to train the network. */
export interface Variant {
  readonly name: string;
  /** Changes the new network before its first step. */
  prepare(network: DeepNet, images: tf.Tensor): Promise<void>;
}

/** One rule for all layers, however many there are. */
function normalize(network: DeepNet): void {
  parametrize(network, [{ type: nn.Linear, apply: weightNorm }]);
}

/** The three ways that the program compares. */
export const variants = [
  { name: 'plain', async prepare() {} },
  {
    name: 'weight norm',
    async prepare(network) {
      normalize(network);
    },
  },
  {
    name: 'weight norm, initialized',
    async prepare(network, images) {
      normalize(network);
      await initializeFromBatch(network, images);
    },
  },
] as const satisfies readonly Variant[];
