import { fileURLToPath } from 'node:url';
import type { ProcessWorker } from '../measure/processWorker.ts';
import type { Options } from '../measure/readOptions.ts';
import { startTorch } from '../measure/torchWorker.ts';

/** Starts the nearest equivalents of the maps in PyTorch; undefined where no Python has it. */
export const startTorchMaps = (options: Options): Promise<ProcessWorker | undefined> =>
  startTorch(options, fileURLToPath(new URL('torch_maps.py', import.meta.url)));

/** Makes the work of a map ready; false if PyTorch has no equivalent. */
export async function hasEquivalent(
  torch: ProcessWorker | undefined,
  entry: string,
  shape: readonly number[],
  pass: 'read' | 'gradient' | 'registration',
): Promise<boolean> {
  return torch !== undefined && (await torch.make({ entry, shape, pass })).length > 0;
}
