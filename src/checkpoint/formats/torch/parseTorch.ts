import { part, type Reading } from '../../source/reading.ts';
import { startLength } from '../format.ts';
import { notACheckpoint } from '../otherFormats.ts';
import type { ParsedCheckpoint } from '../parsedCheckpoint.ts';
import { looksLikeSafetensors } from '../safetensors/looksLikeSafetensors.ts';
import { parseLegacyTorch } from './legacyTorch.ts';
import { looksLikePickle, looksLikeTorch } from './looksLikeTorch.ts';
import { parseTorchArchive } from './torchArchive.ts';
import type { TorchOptions } from './torchOptions.ts';

/** Reads a torch file of some size in bytes, in either container. */
export function* parseTorch(
  size: number,
  { checkCrc = false }: TorchOptions = {},
): Reading<ParsedCheckpoint> {
  const start = yield* part(size, 0, Math.min(size, startLength), () => 'the start');
  // A length in front of a header may look like the start of a pickle.
  if (looksLikeSafetensors(start, size)) throw yield* notACheckpoint(size, 'torch');
  if (looksLikePickle(start)) return yield* parseLegacyTorch(size);
  // What an archive begins with does not matter to it, its directory is at its end; but nothing else begins so.
  if (looksLikeTorch(start)) return yield* parseTorchArchive(size, checkCrc);
  throw yield* notACheckpoint(size, 'torch');
}
