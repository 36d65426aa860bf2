import type { Wanted } from '../otherFormats.ts';
import { looksLikeSafetensors } from '../safetensors/looksLikeSafetensors.ts';
import { looksLikePickle } from './looksLikeTorch.ts';

/** The description of a file by a caller that reads files of `torch.save`. */
export const wantedTorch: Wanted = {
  what: 'torch file',
  known: (start, size) =>
    looksLikeSafetensors(start, size)
      ? ['it is safetensors', 'Read it with readSafetensors or loadCheckpoint.']
      : looksLikePickle(start)
        ? ['it is a pickle that torch.save did not write', 'Save its tensors with torch.save.']
        : null,
  unknown: () => ['it is neither a zip archive nor a pickle', 'Get it again.'],
};
