import { CheckpointError, corrupt, quoted } from '../checkpointError.ts';
import type { FormatOptions } from '../formats/format.ts';
import { notACheckpoint } from '../formats/otherFormats.ts';
import { type CheckpointSource, type OpenOptions, openSource, type Progress } from '../source/byteSource.ts';
import { pathOf } from '../source/nodeFile.ts';
import { readFrom } from '../source/reading.ts';
import type { CheckpointFile } from './checkpointFile.ts';
import { openFormat } from './openFormat.ts';
import type { ShardIndex } from './shardIndex.ts';
import { wantedAny } from './wantedAny.ts';

/**
 * Opens all shards of an index as one file. It has the tensors of the index in the order of the files, and the texts of
 * all files. If texts of one name differ, the index wins, then the first file.
 *
 * @param source - the index
 * @throws {@link CheckpointError} `UNREADABLE` for a missing shard, `CORRUPT` for a shard that lacks a tensor of the
 * index, `OPTION` for an index that is not a path, URL or response
 */
export async function openShards(
  caller: string,
  source: CheckpointSource,
  { fileOf, metadata }: ShardIndex,
  options: OpenOptions,
  formatOptions: FormatOptions,
): Promise<CheckpointFile> {
  const names = [...new Set(fileOf.values())].sort();
  const files = new Map<string, CheckpointFile>();
  const close = async (): Promise<void> => {
    for (const file of files.values()) await file.close();
  };
  try {
    const progress = summed(options, names.length);
    for (const [i, name] of names.entries()) {
      const shard = await openShard(
        caller,
        besides(source, name),
        { ...options, ...progress(i) },
        formatOptions,
        name,
      );
      files.set(name, shard);
    }
    checkTensors(fileOf, files);
  } catch (error) {
    await close();
    throw error;
  }
  const all = [...files.values()];
  const own = new Set(fileOf.keys());
  const fileFor = (name: string): CheckpointFile => files.get(fileOf.get(name) ?? names[0]!) ?? all[0]!;
  const texts = Object.assign(Object.create(null), ...all.map((file) => file.metadata).reverse(), metadata);
  return {
    format: all[0]!.format,
    metadata: texts,
    object: null,
    placeholders: [...new Set(all.flatMap(({ placeholders }) => placeholders))],
    shards: names,
    names: names.flatMap((file) => files.get(file)!.names.filter((name) => fileOf.get(name) === file)),
    ties: all
      .flatMap(({ ties }) => ties.map((group) => group.filter((name) => own.has(name))))
      .filter((group) => group.length > 1),
    info: (name) => fileFor(name).info(name),
    read: (name) => fileFor(name).read(name),
    tensor: (name) => fileFor(name).tensor(name),
    slice: (name, begin, size) => fileFor(name).slice(name, begin, size),
    close,
  };
}

async function openShard(
  caller: string,
  source: string | URL,
  options: OpenOptions,
  formatOptions: FormatOptions,
  name: string,
): Promise<CheckpointFile> {
  try {
    const bytes = await openSource(source, options);
    try {
      const file = await openFormat(caller, bytes, formatOptions);
      if (file === null) throw await readFrom(notACheckpoint(bytes.size, wantedAny), bytes.read);
      return file;
    } catch (error) {
      await bytes.close();
      throw error;
    }
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    throw new CheckpointError(error.code, `the shard ${quoted(name)}: ${error.fact}`, error.remedy, {
      cause: error,
    });
  }
}

/** Returns the address of a file beside an index. */
function besides(source: CheckpointSource, name: string): string | URL {
  const address = typeof Response === 'function' && source instanceof Response ? source.url : source;
  if (address instanceof URL) return new URL(name, address);
  if (typeof address !== 'string' || address === '') {
    throw new CheckpointError(
      'OPTION',
      `this is an index of shards, and bytes do not tell where ${quoted(name)} is`,
      'Pass the path or URL of the index.',
    );
  }
  const isUrl = pathOf(address) !== address;
  if (isUrl) return new URL(name, address);
  return address.slice(0, Math.max(address.lastIndexOf('/'), address.lastIndexOf('\\')) + 1) + name;
}

/** Checks the index for each tensor, so that no tensor is found missing when half of a model is read. */
function checkTensors(fileOf: ReadonlyMap<string, string>, files: ReadonlyMap<string, CheckpointFile>): void {
  const has = new Map([...files].map(([file, { names }]) => [file, new Set(names)]));
  for (const [name, file] of fileOf) {
    if (has.get(file)!.has(name)) continue;
    throw corrupt(`the index says that ${quoted(name)} is in ${quoted(file)}, which does not have it`);
  }
  if (fileOf.size === 0) throw corrupt('the index of shards names no tensors');
}

/** Returns the options for each shard, which report the progress of all shards together. */
function summed({ onProgress }: OpenOptions, count: number): (shard: number) => OpenOptions {
  const parts: (Progress | undefined)[] = Array(count).fill(undefined);
  return (shard) => {
    if (onProgress === undefined) return {};
    return {
      onProgress: (part) => {
        parts[shard] = part;
        const totals = parts.map((one) => one?.total);
        const sum = (numbers: readonly (number | undefined)[]): number =>
          numbers.reduce<number>((all, one) => all + (one ?? 0), 0);
        onProgress({
          loaded: sum(parts.map((one) => one?.loaded)),
          total: totals.includes(undefined) ? undefined : sum(totals),
        });
      },
    };
  };
}
