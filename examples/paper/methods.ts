import { initializeFromBatch, nn, parametrize, weightNorm } from 'tfjs-parametrize';
import type { Network } from './network.ts';

/** The layer after each convolution. */
export type Normalization = 'none' | 'mean' | 'batch';

/** A way to normalize a network, as the paper compares them. */
export interface Method {
  readonly name: string;
  readonly normalization: Normalization;
  readonly isWeightNormed: boolean;
  /** True if the first batch sets norms and biases. */
  readonly isInitialized: boolean;
}

const method = (
  name: string,
  normalization: Normalization,
  isWeightNormed: boolean,
  isInitialized: boolean,
): Method => ({ name, normalization, isWeightNormed, isInitialized });

export const plain = method('plain', 'none', false, false);
export const weightNormed = method('weight norm', 'none', true, false);
export const initialized = method('weight norm, initialized', 'none', true, true);
export const meanOnly = method('weight norm, mean-only batch norm', 'mean', true, true);
export const batchNormed = method('batch norm', 'batch', false, false);

/** The methods in the order of tables and plots. */
export const methods: readonly Method[] = [plain, weightNormed, initialized, meanOnly, batchNormed];

/** Normalizes the weights of a new network, and initializes them from the first batch. */
export async function prepare(
  network: Network,
  { isWeightNormed, isInitialized }: Method,
  images: Parameters<typeof initializeFromBatch>[1],
): Promise<void> {
  if (isWeightNormed) parametrize(network, [{ type: [nn.Conv2d, nn.Linear], apply: weightNorm }]);
  if (isInitialized) await initializeFromBatch(network, images);
}
