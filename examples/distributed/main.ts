/**
 * Trains a weight-normalized model here, goes on with it in two processes of PyTorch, and brings it back.
 *
 *     npx tsx --tsconfig test/tsconfig.json examples/distributed/main.ts
 */
import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { pythonWithTorch } from '../../bench/measure/torchWorker.ts';
import { thereAndBack } from './thereAndBack.ts';

await tf.setBackend('cpu');
const python = pythonWithTorch(['python3', '/usr/bin/python3']);
if (python === undefined) {
  console.log('No Python here can import torch: install PyTorch to run this example.');
} else {
  const { here, there, back, restored } = await thereAndBack(python);
  const text = (losses: readonly number[]): string => losses.map((loss) => loss.toFixed(6)).join(' ');
  console.log(`tfjs, one process     ${text(here)}`);
  console.log(`PyTorch, two          ${text(there)}`);
  console.log(`tfjs again            ${text(back)}`);
  console.log(
    restored
      ? 'What came back is what PyTorch saved, bit for bit.'
      : 'What came back differs from what PyTorch saved.',
  );
}
