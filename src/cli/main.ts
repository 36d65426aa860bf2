#!/usr/bin/env node
/// <reference types="node" />
import { run } from './run.ts';

// A reader of the output may stop early, as in `inspect FILE | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

// The first interruption removes the unfinished output; a second one ends the process at once.
const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort());

process.exitCode = await run(process.argv.slice(2), {
  out: (text) => process.stdout.write(`${text}\n`),
  error: (text) => process.stderr.write(`${text}\n`),
  showsProgress: process.stderr.isTTY === true,
  signal: interrupted.signal,
});
