import type { Wanted } from '../formats/otherFormats.ts';
import { hasBrace } from '../formats/safetensors/looksLikeSafetensors.ts';
import { wantedSafetensors } from '../formats/safetensors/wantedSafetensors.ts';

/** The description of a file by a caller that reads all formats. */
export const wantedAny: Wanted = {
  what: 'checkpoint',
  unknown: (start, size) =>
    hasBrace(start)
      ? wantedSafetensors.unknown(start, size)
      : ['it is neither safetensors, nor a zip archive or pickle of torch', 'Get it again.'],
};
