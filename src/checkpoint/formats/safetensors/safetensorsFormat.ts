import type { Format } from '../format.ts';
import { looksLikeSafetensors } from './looksLikeSafetensors.ts';

/** The format of Hugging Face: a JSON header and the bytes of the tensors. */
export const safetensorsFormat: Format = {
  name: 'safetensors',
  looksLike: looksLikeSafetensors,
  parser: async () => (await import('./parseSafetensors.ts')).parseSafetensors,
  keepsOrder: false,
  options: [],
  checkOptions: () => {},
};
