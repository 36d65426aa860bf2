import { part, type Reading } from '../../source/reading.ts';
import { startLength } from '../format.ts';
import { notACheckpoint } from '../otherFormats.ts';
import type { ParsedCheckpoint } from '../parsedCheckpoint.ts';
import { looksLikeSafetensors } from '../safetensors/looksLikeSafetensors.ts';
import { parseLegacyTorch } from './legacyTorch.ts';
import { looksLikePickle, looksLikeTorch } from './looksLikeTorch.ts';
import { parseTorchArchive } from './torchArchive.ts';
import type { TorchOptions } from './torchOptions.ts';
import { wantedTorch } from './wantedTorch.ts';

/** Reads a torch file of some size in bytes, in the new or the old container. */
export function* parseTorch(
  size: number,
  { checkCrc = false }: TorchOptions = {},
): Reading<ParsedCheckpoint> {
  const start = yield* part(size, 0, Math.min(size, startLength), () => 'the start');
  // The length before a safetensors header may look like the start of a pickle.
  if (looksLikeSafetensors(start, size)) throw yield* notACheckpoint(size, wantedTorch);
  if (looksLikePickle(start)) return yield* parseLegacyTorch(size);
  // A zip archive has its directory at the end, and may begin with any bytes. But nothing else begins with these bytes.
  if (looksLikeTorch(start)) return yield* parseTorchArchive(size, checkCrc);
  throw yield* notACheckpoint(size, wantedTorch);
}
