/**
 * How many bytes a digit network needs for its accuracy, with zeros and with integers.
 *
 * npm run example:compress
 */
import { interruptedExitCode, onInterrupt } from '../mnist/onInterrupt.ts';
import { readOptions } from './readOptions.ts';

// TensorFlow.js takes a second to load: help and the first line do not wait for it.
const options = readOptions(process.argv.slice(2));
const signal = onInterrupt();
try {
  console.log('A digit network, pruned and quantized. Loading TensorFlow.js …');
  const { runCompress } = await import('./runCompress.ts');
  await runCompress(options, signal);
} catch (error) {
  if (!signal.aborted) throw error;
  console.error('Interrupted.');
  process.exitCode = interruptedExitCode;
}
