import { named } from '../checkpointError.ts';
import { notACheckpoint } from '../formats/otherFormats.ts';
import type { TorchOptions } from '../formats/torch/torchOptions.ts';
import { type CheckpointSource, type OpenOptions, openSource } from '../source/byteSource.ts';
import { readFrom } from '../source/reading.ts';
import type { CheckpointFile } from './checkpointFile.ts';
import { openFormat } from './openFormat.ts';
import { indexIn } from './shardIndex.ts';
import { wantedAny } from './wantedAny.ts';

/**
 * Opens a file of any format, recognized by its content, for a caller that holds all of its tensors in memory. An index
 * of shards is opened with all of its files.
 *
 * @throws {@link CheckpointError} if the file or a shard is invalid
 */
export async function openCheckpoint(
  caller: string,
  source: CheckpointSource,
  { onProgress, signal, ...options }: OpenOptions & TorchOptions = {},
): Promise<CheckpointFile> {
  const opening = { ...(onProgress && { onProgress }), ...(signal && { signal }) };
  try {
    const bytes = await openSource(source, opening);
    try {
      const file = await openFormat(caller, bytes, { ...options });
      if (file !== null) return file;
      const index = await readFrom(indexIn(bytes.size), bytes.read);
      if (index === null) throw await readFrom(notACheckpoint(bytes.size, wantedAny), bytes.read);
      const { openShards } = await import('./openShards.ts');
      const shards = await openShards(caller, source, index, opening, { ...options });
      await bytes.close();
      return shards;
    } catch (error) {
      await bytes.close();
      throw error;
    }
  } catch (error) {
    throw named(caller, error);
  }
}
