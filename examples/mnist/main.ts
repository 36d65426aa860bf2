import { interruptedExitCode, onInterrupt } from './onInterrupt.ts';
import { readOptions } from './readOptions.ts';

// TensorFlow.js takes a second to load: help and the first line do not wait for it.
const options = readOptions(process.argv.slice(2));
const signal = onInterrupt();
try {
  console.log(`Can a network of ${options.depth} layers learn? Loading TensorFlow.js …`);
  const { runExample } = await import('./runExample.ts');
  await runExample(options, signal);
} catch (error) {
  if (!signal.aborted) throw error;
  console.error('Interrupted.');
  process.exitCode = interruptedExitCode;
}
