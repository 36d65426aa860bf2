import { numbersIn } from '../../source/reading.ts';
import type { Wanted } from '../otherFormats.ts';
import { looksLikeTorch } from '../torch/looksLikeTorch.ts';
import { hasBrace } from './looksLikeSafetensors.ts';

/** The description of a file by a caller that reads safetensors. */
export const wantedSafetensors: Wanted = {
  what: 'safetensors file',
  known: (start) =>
    looksLikeTorch(start)
      ? ['it looks like one of torch', 'Read it with readTorch or loadCheckpoint.']
      : null,
  unknown: (start, size) => [
    size < 8
      ? `it has ${size} bytes, a header has 8 at least`
      : hasBrace(start)
        ? `its header would have ${numbersIn(start).getBigUint64(0, true)} bytes and the file has ${size}`
        : 'no header follows its first 8 bytes',
    'Get it again.',
  ],
};
