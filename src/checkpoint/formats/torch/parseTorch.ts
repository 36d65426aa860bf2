import type { ParsedCheckpoint } from '../../file/parsedCheckpoint.ts';
import { part, type Reading } from '../../source/reading.ts';
import { looksLikePickle, looksLikeSafetensors, looksLikeTorch, notACheckpoint } from '../fileKind.ts';
import { parseLegacyTorch } from './legacyTorch.ts';
import { parseTorchArchive } from './torchArchive.ts';

/** Options of whatever reads a torch file. */
export interface TorchOptions {
  /**
   * Whether the checksums of the archive are verified, of every entry that is read. torch does not. Files before version 1.6
   * have none. Default false.
   */
  readonly checkCrc?: boolean;
}

/** Reads a torch file of some size in bytes, in either container. */
export function* parseTorch(
  size: number,
  { checkCrc = false }: TorchOptions = {},
): Reading<ParsedCheckpoint> {
  const start = yield* part(size, 0, Math.min(size, 64), () => 'the start');
  // A length in front of a header may look like the start of a pickle.
  if (looksLikeSafetensors(start, size)) throw notACheckpoint(start, size, 'torch');
  if (looksLikePickle(start)) return yield* parseLegacyTorch(size);
  // What an archive begins with does not matter to it, its directory is at its end; but nothing else begins so.
  if (looksLikeTorch(start)) return yield* parseTorchArchive(size, checkCrc);
  throw notACheckpoint(start, size, 'torch');
}
