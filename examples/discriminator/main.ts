/**
 * Spectral norm on every convolution of a discriminator of tf.layers by one rule, trained in `fit`.
 *
 * npx tsx --tsconfig test/tsconfig.json examples/discriminator/main.ts
 */
import * as tf from '@tensorflow/tfjs';
import { realAndMade } from './images.ts';
import { trainTwins } from './trainTwins.ts';

// tfjs has no gradient of a convolution of tf.layers on wasm.
tf.enableProdMode();
await tf.setBackend('cpu');

const data = realAndMade(200);
console.log('Spectral norms of the three kernels, before training and after each epoch of fit:');
for (const { name, norms, accuracy } of await trainTwins(data, 6)) {
  console.log(`\n${name}, which tells ${(100 * accuracy).toFixed(0)} of 100 images apart`);
  for (const [epoch, values] of norms.entries()) {
    console.log(`  ${epoch}: ${values.map((value) => value.toFixed(3)).join('  ')}`);
  }
}
tf.dispose([data.images, data.labels]);
