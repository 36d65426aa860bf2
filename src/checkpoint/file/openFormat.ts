import { type FormatOptions, startLength } from '../formats/format.ts';
import { formatOf } from '../formats/formats.ts';
import type { ByteSource } from '../source/byteSource.ts';
import { part, readFrom } from '../source/reading.ts';
import { type CheckpointFile, fileOf } from './checkpointFile.ts';

/** Opens bytes in one of the supported formats. Returns null for other bytes. */
export async function openFormat(
  caller: string,
  bytes: ByteSource,
  options: FormatOptions,
): Promise<CheckpointFile | null> {
  const reading = part(bytes.size, 0, Math.min(bytes.size, startLength), () => 'the start');
  const start = await readFrom(reading, bytes.read);
  const format = formatOf(start, bytes.size);
  if (format === undefined) return null;
  const parse = await format.parser();
  return fileOf(caller, await readFrom(parse(bytes.size, options), bytes.read), bytes);
}
