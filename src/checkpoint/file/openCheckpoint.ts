import { looksLikeSafetensors, looksLikeTorch, notACheckpoint } from '../formats/fileKind.ts';
import { parseSafetensors } from '../formats/safetensors/parseSafetensors.ts';
import { parseTorch, type TorchOptions } from '../formats/torch/parseTorch.ts';
import type { CheckpointSource, OpenOptions } from '../source/byteSource.ts';
import { part, type Reading } from '../source/reading.ts';
import { type CheckpointFile, openFile } from './checkpointFile.ts';
import type { ParsedCheckpoint } from './parsedCheckpoint.ts';

/** Reads either kind of file, whatever it is called. */
function* parseCheckpoint(size: number, options: TorchOptions): Reading<ParsedCheckpoint> {
  const start = yield* part(size, 0, Math.min(size, 64), () => 'the start');
  if (looksLikeSafetensors(start, size)) return yield* parseSafetensors(size);
  if (looksLikeTorch(start)) return yield* parseTorch(size, options);
  throw notACheckpoint(start, size, 'checkpoint');
}

/** Opens a file of either kind, by what is in it. */
export const openCheckpoint = (
  caller: string,
  source: CheckpointSource,
  { checkCrc = false, ...options }: OpenOptions & TorchOptions = {},
): Promise<CheckpointFile> =>
  openFile(caller, source, options, (size) => parseCheckpoint(size, { checkCrc }), true);
