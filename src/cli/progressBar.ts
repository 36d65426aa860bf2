import { SingleBar } from 'cli-progress';
import type { OpenOptions } from '../checkpoint/source/byteSource.ts';
import type { Terminal } from './run.ts';

/** Below this, a file is read before anybody has read a progress bar. */
const large = 32 * 1024 * 1024;

/** What shows how far the reading of a file is, and ends it when the user wants. */
export interface ReadingProgress {
  /** For whatever opens the file. */
  readonly options: OpenOptions;
  /** Takes the bar away; a second call does nothing. */
  stop(): void;
}

/** A bar for the bytes of a large file, where somebody sees it. */
export function progressBar({ showsProgress, signal }: Terminal): ReadingProgress {
  const bar = new SingleBar({
    stream: process.stderr,
    format: '{bar} {percentage}% | {eta_formatted} left',
    clearOnComplete: true,
  });
  const onProgress: OpenOptions['onProgress'] = ({ loaded, total }) => {
    if (!showsProgress || total === undefined || total < large) return;
    if (!bar.isActive) bar.start(total, 0);
    // What is read twice counts twice.
    bar.update(Math.min(loaded, total));
  };
  return {
    options: { onProgress, ...(signal && { signal }) },
    stop: () => {
      if (bar.isActive) bar.stop();
    },
  };
}
