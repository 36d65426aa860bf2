import { readFileSync } from 'node:fs';

/** A hostile or damaged file, and what has to come of it. */
export interface BadFile {
  readonly file: string;
  readonly outcome: 'ok' | 'error' | 'ok-or-error';
  readonly note: string;
  readonly bytes: number;
  /** What may be allocated at most, in MiB, where that is less than usual. */
  readonly max_alloc_mb?: number;
}

const folder = new URL('../files/badfiles/', import.meta.url);

export const badFiles = (
  JSON.parse(readFileSync(new URL('INDEX.json', folder), 'utf8')) as { files: BadFile[] }
).files;

export const badFile = (file: string): Uint8Array => new Uint8Array(readFileSync(new URL(file, folder)));
