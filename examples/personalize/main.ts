/**
 * A network that knows the digits 0 to 4 learns 5 to 9, by LoRA and by training all of it.
 *
 * npm run example:personalize
 */
import { interruptedExitCode, onInterrupt } from '../mnist/onInterrupt.ts';
import { readOptions } from './readOptions.ts';

// TensorFlow.js takes a second to load: help and the first line do not wait for it.
const options = readOptions(process.argv.slice(2));
const signal = onInterrupt();
try {
  console.log('A network of five digits learns five more. Loading TensorFlow.js …');
  const { runPersonalize } = await import('./runPersonalize.ts');
  await runPersonalize(options, signal);
} catch (error) {
  if (!signal.aborted) throw error;
  console.error('Interrupted.');
  process.exitCode = interruptedExitCode;
}
