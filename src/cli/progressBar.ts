import type { OpenOptions } from '../checkpoint/source/byteSource.ts';
import type { Terminal } from './run.ts';

/** Smaller files are read before a user could look at a bar. */
const large = 32 * 1024 * 1024;

/** Characters of the bar. */
const width = 40;

/** Shows how much of a file is read, and lets the user interrupt the reading. */
export interface ReadingProgress {
  /** Options for the function that opens the file. */
  readonly options: OpenOptions;
  /** Removes the bar; a second call does nothing. */
  stop(): void;
}

/** A bar for the bytes of a large file, on terminals that show one. */
export function progressBar({ showsProgress, signal }: Terminal): ReadingProgress {
  const start = performance.now();
  let shown = '';
  const onProgress: OpenOptions['onProgress'] = ({ loaded, total }) => {
    if (!showsProgress || total === undefined || total < large) return;
    // Bytes that are read twice count twice.
    const line = lineFor(Math.min(loaded / total, 1), performance.now() - start);
    if (line === shown) return;
    shown = line;
    process.stderr.write(`\r${line}`);
  };
  return {
    options: { onProgress, ...(signal && { signal }) },
    stop: () => {
      if (shown !== '') process.stderr.write('\r\u001b[K');
      shown = '';
    },
  };
}

/** `██████░░░░ 60% | 4 s left`, as long as the line before it. */
function lineFor(part: number, milliseconds: number): string {
  const filled = Math.floor(part * width);
  const bar = '█'.repeat(filled) + '░'.repeat(width - filled);
  const seconds = part === 0 ? '?' : Math.ceil((milliseconds / 1000) * (1 / part - 1));
  return `${bar} ${String(Math.floor(part * 100)).padStart(3)}% | ${seconds} s left `.padEnd(width + 24);
}
