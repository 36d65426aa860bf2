/**
 * Builds the page that trains an adapter in a browser, and serves it.
 *
 * npm run example:personalize:page
 */
import '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { preview } from 'vite';
import { loadDigits } from '../../mnist/loadDigits.ts';
import { interruptedExitCode, onInterrupt } from '../../mnist/onInterrupt.ts';
import { buildPage, pageConfig } from './buildPage.ts';

const folder = resolve('.cache/personalize/page');
const signal = onInterrupt();
tf.enableProdMode();
await tf.setBackend('wasm');
await tf.ready();
console.log('Training a network on the digits 0 to 4 …');
try {
  await buildPage(folder, { ...loadDigits(3000), passes: 2 }, signal);
} catch (error) {
  if (!signal.aborted) throw error;
  process.exit(interruptedExitCode);
}
const server = await preview({ ...pageConfig(folder), preview: { host: '127.0.0.1' } });
console.log(`The page is in ${folder}. It is served at ${server.resolvedUrls!.local[0]} until Ctrl-C.`);
signal.addEventListener('abort', () => void server.close().then(() => process.exit()));
