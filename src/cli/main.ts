#!/usr/bin/env node
import { run } from './run.ts';

// Who reads the output may have read enough: `inspect FILE | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

// The first interruption takes away what was written so far; a second one ends the process as ever.
const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort());

process.exitCode = await run(process.argv.slice(2), {
  out: (text) => process.stdout.write(`${text}\n`),
  error: (text) => process.stderr.write(`${text}\n`),
  showsProgress: process.stderr.isTTY === true,
  signal: interrupted.signal,
});
