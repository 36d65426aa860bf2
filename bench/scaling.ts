/**
 * Whether the cost grows with the size, and no faster: of weight norm with the numbers, of what is done with a model with
 * its layers.
 *
 *     npm run bench:scaling
 *     npm run bench:scaling -- --sizes kernels --rounds 21
 *     npm run bench:scaling -- --write
 */
import '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { environment, sentence } from './measure/environment.ts';
import { digits, spreadText, tableOf, writeSection } from './measure/page.ts';
import { readOptions } from './measure/readOptions.ts';
import { kernelCosts } from './scaling/kernels.ts';
import { modelCosts, models } from './scaling/models.ts';

const page = 'docs/performance.md';
const options = readOptions(
  'bench:scaling',
  'Measures how the cost of weight norm grows with the numbers, and that of a model with its layers.',
  ['kernels', 'models'],
  process.argv.slice(2),
  page,
  false,
);
tf.enableProdMode();

async function kernelTable(): Promise<string> {
  const rows: string[][] = [];
  for (const backend of ['wasm', 'cpu'] as const) {
    for (const pass of ['forward', 'forward and backward'] as const) {
      for (const { shape, normalized, copied, ratio } of await kernelCosts(backend, pass, options.rounds)) {
        const million = `${digits((shape[0] * shape[1]) / 1e6)} million`;
        rows.push([
          `${backend}, ${pass}, ${million}`,
          spreadText(normalized),
          spreadText(copied),
          spreadText(ratio),
        ]);
      }
    }
  }
  return tableOf(['numbers', 'weight norm, ns each', 'memory copy, ns each', 'ratio'], rows);
}

async function modelTable(kind: string): Promise<string> {
  const counts = models[kind]!.counts;
  const costs = await modelCosts(kind, options.rounds);
  return tableOf(
    [kind, ...counts.map((count) => `${digits(count)} layers, µs each`), 'last / first'],
    costs.map(({ name, perLayer, growth }) => [name, ...perLayer.map(spreadText), spreadText(growth)]),
  );
}

const tables: string[] = [];
if (options.sizes.includes('kernels')) tables.push(await kernelTable());
if (options.sizes.includes('models')) {
  for (const kind of Object.keys(models)) tables.push(await modelTable(kind));
}
const text = [`${options.rounds} rounds. ${sentence(environment(null))}.`, ...tables].join('\n\n');
console.log(text);
if (options.write) writeSection(page, 'scaling', text);
