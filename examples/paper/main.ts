/**
 * Measures the claims of Salimans and Kingma 2016 (arXiv:1602.07868) at a small size, and writes
 * docs/weight-norm-paper.md with its plots.
 *
 * npm run example:paper
 */
import { interruptedExitCode, onInterrupt } from '../mnist/onInterrupt.ts';
import { readOptions } from './readOptions.ts';

// TensorFlow.js takes a second to load: help and the first line do not wait for it.
const options = readOptions(process.argv.slice(2));
const signal = onInterrupt();
try {
  console.log('Weight normalization, measured as in its paper. Loading TensorFlow.js …');
  const { runPaper } = await import('./runPaper.ts');
  await runPaper(options, signal);
} catch (error) {
  if (!signal.aborted) throw error;
  console.error('Interrupted.');
  process.exitCode = interruptedExitCode;
}
