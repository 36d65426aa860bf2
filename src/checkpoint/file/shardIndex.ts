import { isRecord } from '../../core/guards.ts';
import { CheckpointError, corrupt, quoted } from '../checkpointError.ts';
import { part, type Reading } from '../source/reading.ts';

/**
 * The contents of an index of shards: `model.safetensors.index.json` and `pytorch_model.bin.index.json` of Hugging
 * Face.
 */
export interface ShardIndex {
  /** The texts of the metadata. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The file of each tensor, by the name of the tensor. */
  readonly fileOf: ReadonlyMap<string, string>;
}

/** The largest size of an index: about a million tensors. */
const largest = 128 * 1024 * 1024;

/**
 * Reads an index. Returns null if the file is not JSON with a map of weights.
 *
 * @throws {@link CheckpointError} `CORRUPT` for names that are not files beside the index, `LIMIT`
 */
export function* indexIn(size: number): Reading<ShardIndex | null> {
  const [first] = yield* part(size, 0, Math.min(size, 1), () => 'the start');
  if (first !== 0x7b) return null;
  if (size > largest) {
    throw new CheckpointError(
      'LIMIT',
      `the file is JSON and has ${size} bytes; an index of shards has ${largest} at most`,
      'Pass the files with the weights.',
    );
  }
  const text = new TextDecoder().decode(yield* part(size, 0, size, () => 'the index'));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(json) || !isRecord(json['weight_map'])) return null;
  const fileOf = new Map<string, string>();
  for (const [name, file] of Object.entries(json['weight_map'])) {
    if (typeof file !== 'string' || !isBeside(file)) {
      throw corrupt(
        `the index of shards has ${quoted(String(file))} for ${quoted(name)}, which is no name of a file beside it`,
      );
    }
    fileOf.set(name, file);
  }
  const metadata: Record<string, string> = Object.create(null);
  for (const [key, value] of Object.entries(isRecord(json['metadata']) ? json['metadata'] : {})) {
    if (typeof value === 'string') metadata[key] = value;
  }
  return { metadata, fileOf };
}

/** True if a name belongs to a file in or below the folder of the index. A file must not choose other files to read. */
const isBeside = (name: string): boolean =>
  name !== '' &&
  !/[\\:?#%\0]|^\//.test(name) &&
  !name.split('/').some((step) => step === '..' || step === '.');
