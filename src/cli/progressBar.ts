import type { OpenOptions } from '../checkpoint/source/byteSource.ts';
import type { Terminal } from './run.ts';

/** The size of a file from which a bar is shown. Smaller files are read too fast. */
const large = 32 * 1024 * 1024;

/** The number of characters of the bar. */
const width = 40;

/** Shows the progress of reading a file, and lets the user interrupt it. */
export interface ReadingProgress {
  /** The options for the function that opens the file. */
  readonly options: OpenOptions;
  /** Removes the bar; a second call does nothing. */
  stop(): void;
}

/** Makes a bar for the bytes of a large file, on terminals that show one. */
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

/** Formats `██████░░░░ 60% | 4 s left`, padded so that it overwrites the previous line. */
function lineFor(part: number, milliseconds: number): string {
  const filled = Math.floor(part * width);
  const bar = '█'.repeat(filled) + '░'.repeat(width - filled);
  const seconds = part === 0 ? '?' : Math.ceil((milliseconds / 1000) * (1 / part - 1));
  return `${bar} ${String(Math.floor(part * 100)).padStart(3)}% | ${seconds} s left `.padEnd(width + 24);
}
