import { readFileSync } from 'node:fs';
import { parseSafetensors } from '../../src/checkpoint/formats/safetensors/parseSafetensors.ts';
import { parseTorch } from '../../src/checkpoint/formats/torch/parseTorch.ts';
import { readNow } from '../../src/checkpoint/source/reading.ts';

// Files of real PyTorch 1.13, and what is in them by its own account.

export interface ExpectedTensor {
  readonly dtype: string;
  readonly shape: number[];
  /** Widened to doubles; integers that a double cannot hold and special values as texts. */
  readonly data: readonly (number | boolean | string)[];
  readonly stride: number[];
  readonly storage_offset: number;
  readonly storage_len: number;
  readonly requires_grad: boolean;
}

export interface Expected {
  readonly tensors: Readonly<Record<string, ExpectedTensor>>;
  /** Tensors that are views of one storage. */
  readonly shared_storage_groups: string[][];
}

interface Entry {
  readonly file: string;
  /** What the refusal says, for files that are refused. */
  readonly expect?: string;
}

const folder = new URL('./files/', import.meta.url);

export const bytesOf = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(path, folder)));

const textOf = (path: string): string => readFileSync(new URL(path, folder), 'utf8');

const index = JSON.parse(textOf('statedicts/INDEX.json')) as Entry[];

export const readable: string[] = index.filter(({ expect }) => expect === undefined).map(({ file }) => file);

export const refusedFiles: string[] = index
  .filter(({ expect }) => expect !== undefined)
  .map(({ file }) => file);

export function expectedOf(file: string): Expected {
  // Integers beyond 2⁵³ would lose digits as numbers.
  const text = textOf(`statedicts/${file}.expect.json`).replace(/(?<=[[,])(-?\d{16,})(?=[,\]])/g, '"$1"');
  return JSON.parse(text) as Expected;
}

export const isTorch = (file: string): boolean => file.endsWith('.pt');

/** What the parser finds in a file. */
export function parsedOf(file: string) {
  const bytes = bytesOf(`statedicts/${file}`);
  return readNow(isTorch(file) ? parseTorch(bytes.length) : parseSafetensors(bytes.length), bytes);
}
