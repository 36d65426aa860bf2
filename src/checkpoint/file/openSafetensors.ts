import type { ParametrizeError } from '../../core/errors.ts';
import { parseSafetensors } from '../formats/safetensors/parseSafetensors.ts';
import type { CheckpointSource, OpenOptions } from '../source/byteSource.ts';
import { checkOpening, openingOptions } from './checkOpening.ts';
import { type CheckpointFile, openFile } from './checkpointFile.ts';

/**
 * Opens a safetensors file and reads its header. The tensors are read one by one, so the file may be larger than the
 * memory.
 *
 * @remarks
 * **Ownership**: close the file; its tensors belong to the caller.
 *
 * @param source - bytes, a `Blob` or `File`, a `Response`, a URL (if the server supports ranges, only the wanted parts
 * are loaded), or a path in Node.js
 * @throws {@link CheckpointError} `NOT_A_CHECKPOINT`, `CORRUPT`, `UNREADABLE` and the other codes of files
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
