import type { Format } from '../format.ts';
import { looksLikeTorch } from './looksLikeTorch.ts';
import { checkTorchOptions } from './torchOptions.ts';

/** The format of `torch.save`: a zip archive with a pickle, or pickles and bytes before version 1.6. */
export const torchFormat: Format = {
  name: 'torch',
  looksLike: looksLikeTorch,
  parser: async () => (await import('./parseTorch.ts')).parseTorch,
  keepsOrder: true,
  options: ['checkCrc'],
  checkOptions: checkTorchOptions,
};
