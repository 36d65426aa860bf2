/**
 * Weight norm on a generator of HiFi-GAN's form: three rules, files with torch's keys, fold for inference.
 *
 * It loads two files by the same rules. `test/golden/hifi_gan/generator.pt` is a file of `torch.save`, which PyTorch has
 * written; its generator is small and not trained. The other file is written here, in safetensors with the keys of
 * torch, after a short training, so that there is something to hear.
 *
 * npx tsx --tsconfig test/tsconfig.json examples/hifiGan/main.ts [FOLDER]
 */
import '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { describe } from 'tfjs-parametrize';
import { Generator, smallest, tiny } from './generator.ts';
import { loadAndFold } from './loadAndFold.ts';
import { normalizeGenerator } from './normalizeGenerator.ts';
import { melody, sampleRate } from './tone.ts';
import { wavFile } from './wavFile.ts';
import { writeCheckpoint } from './writeCheckpoint.ts';

const steps = 60;
const framesPerNote = 16;

tf.enableProdMode();
await tf.setBackend('wasm');
await tf.ready();
const folder = process.argv[2] ?? '.cache/hifiGan';
mkdirSync(folder, { recursive: true });
const file = join(folder, 'generator.safetensors');

const shown = new Generator(tiny);
console.log(`${normalizeGenerator(shown)}\n`);
const { totals } = describe(shown);
console.log(`${totals.parameters.all} parameters`);
shown.dispose();

const torchFile = new URL('../../test/golden/hifi_gan/generator.pt', import.meta.url);
const frames = tf.randomNormal([1, smallest.bands, 3]);
const ofTorch = await loadAndFold(torchFile, smallest, frames, 1);
frames.dispose();
console.log(
  `\nLoaded ${ofTorch.keys.length} tensors that PyTorch has saved, folded ${ofTorch.folded.length} weights`,
);

const notes = melody(tiny.bands, framesPerNote);
console.log(`\nTraining ${steps} steps for a file to load …`);
const { samples, losses } = await writeCheckpoint(file, tiny, notes, steps);
console.log(`  loss ${losses.map((loss) => loss.toFixed(4)).join(' to ')}, saved in ${file}`);

const { keys, folded, normalized, plain, times } = await loadAndFold(file, tiny, notes.frames, 20);
const difference = (a: Float32Array, b: Float32Array): string =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0).toExponential(1);
console.log(
  `\nLoaded ${keys.length} tensors: ${keys.filter((key) => key.startsWith('ups.0.')).join(', ')}, …`,
);
console.log(`  largest difference to the trained generator: ${difference(samples, normalized)}`);
console.log(`Folded ${folded.length} weights`);
console.log(`  largest difference of the samples: ${difference(normalized, plain)}`);
console.log('\nMilliseconds for half a second of sound:');
console.log(`  weights computed in each call: ${times.computed.toFixed(1)}`);
console.log(`  weights kept between calls:    ${times.kept.toFixed(1)}`);
console.log(`  folded:                        ${times.folded.toFixed(1)}`);

const sound = join(folder, 'melody.wav');
writeFileSync(sound, wavFile(plain, sampleRate));
console.log(`\nThe melody is in ${sound}.`);
tf.dispose([notes.frames, notes.sound]);
