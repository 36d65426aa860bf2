import type { ParametrizeError } from '../../core/errors.ts';
import { parseSafetensors } from '../formats/safetensors/parseSafetensors.ts';
import type { CheckpointSource, OpenOptions } from '../source/byteSource.ts';
import { checkOpening, openingOptions } from './checkOpening.ts';
import { type CheckpointFile, openFile } from './checkpointFile.ts';

/**
 * Opens a safetensors file and reads its header; the tensors are read one by one, so that the file may be larger than
 * memory.
 *
 * @remarks
 * **Ownership**: close the file; its tensors are the caller's.
 *
 * @param source - bytes, a `Blob` or `File`, a `Response`, a URL (only the wanted parts are loaded where the server
 * sends ranges), or a path in Node.js
 * @throws {@link CheckpointError} for everything that is wrong with the file
 * @throws {@link ParametrizeError} `OPTION`
 * @example
 * ```ts
 * const file = await openSafetensors('https://example.org/model.safetensors');
 * const weight = await file.tensor('encoder.weight');
 * await file.close();
 * ```
 */
export async function openSafetensors(
  source: CheckpointSource,
  options: OpenOptions = {},
): Promise<CheckpointFile> {
  checkOpening('openSafetensors', options, openingOptions);
  return openFile('openSafetensors', source, options, parseSafetensors);
}
