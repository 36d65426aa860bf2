/**
 * What adapters, masks, weight dropout and fake quantization cost in a training step, and what is left of the cost after
 * a merge or fold; see README.md.
 *
 *     npm run bench:finetune
 *     npm run bench:finetune -- --sizes small --rounds 21
 *     npm run bench:finetune -- --write
 */
import '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { inferenceWays, type Size, sizes, trainingWays, type Way } from './finetune/cases.ts';
import { environment, sentence } from './measure/environment.ts';
import { checkAgreement } from './measure/fingerprint.ts';
import { compare, interleave, type Result } from './measure/interleave.ts';
import { markdownTable, writeSection } from './measure/page.ts';
import { ratioTable } from './measure/ratioTable.ts';
import { readOptions } from './measure/readOptions.ts';
import { type TfjsContestant, tfjsContestant } from './measure/tfjsContestant.ts';

const page = 'docs/performance.md';
const names = Object.keys(sizes) as (keyof typeof sizes)[];
const options = readOptions(
  'bench:finetune',
  'Measures training steps and inference with maps for fine-tuning beside plain layers, in turns.',
  names,
  process.argv.slice(2),
  page,
  false,
);
tf.enableProdMode();

async function measure(ways: readonly Way[]): Promise<Result[]> {
  // Frees the tensors that the contestants make.
  tf.engine().startScope();
  await tf.setBackend('wasm');
  const contestants: TfjsContestant[] = [];
  for (const { name, make } of ways) {
    const step = await make();
    contestants.push(await tfjsContestant(name, 'wasm', () => step));
  }
  const expected = await contestants[0]!.fingerprints();
  for (const [i, contestant] of contestants.entries()) {
    if (ways[i]!.isSame) checkAgreement(contestant.name, await contestant.fingerprints(), expected);
  }
  const results = compare(await interleave(contestants, options.rounds));
  tf.disposeVariables();
  tf.engine().endScope();
  return results;
}

const tables: Readonly<Record<string, (size: Size) => Way[]>> = {
  'a training step': trainingWays,
  inference: inferenceWays,
};
const comparisons: { title: string; results: Result[] }[] = [];
for (const name of names.filter((name) => options.sizes.includes(name))) {
  const size = sizes[name];
  for (const [kind, waysOf] of Object.entries(tables)) {
    const title = `2 × Linear ${size.features}→${size.features}, batch ${size.batch}, ${kind}, wasm`;
    const results = await measure(waysOf(size));
    comparisons.push({ title, results });
    if (!options.json) console.log(`${ratioTable(title, results)}\n`);
  }
}
const where = environment(null);
const { rounds } = options;
if (options.json) console.log(JSON.stringify({ environment: where, rounds, comparisons }, null, 2));
else console.log(`${rounds} rounds. ${sentence(where)}.`);
if (options.write) {
  writeSection(page, 'fine-tuning', `${rounds} rounds. ${sentence(where)}.\n\n${markdownTable(comparisons)}`);
}
