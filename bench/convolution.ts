/**
 * What a convolution costs here, in tfjs and in PyTorch; see README.md.
 *
 *     npm run bench:conv
 *     npm run bench:conv -- --sizes small,medium --rounds 21
 */
import '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { type Case, cases, inputsOf, type Pass } from './convolution/cases.ts';
import {
  channelsLast,
  layerByLayer,
  layers,
  layoutChanges,
  type MakeStep,
  tfjsKernels,
} from './convolution/contestants.ts';
import { environment, sentence } from './measure/environment.ts';
import { checkAgreement } from './measure/fingerprint.ts';
import { type Contestant, compare, interleave, type Result } from './measure/interleave.ts';
import type { ProcessWorker } from './measure/processWorker.ts';
import { ratioTable } from './measure/ratioTable.ts';
import { readOptions } from './measure/readOptions.ts';
import { type Backend, tfjsContestant } from './measure/tfjsContestant.ts';
import { startTorch } from './measure/torchWorker.ts';

/** The first is what the others are compared with. */
const tfjsContestants: readonly [name: string, backend: Backend, make: MakeStep, passes: readonly Pass[]][] =
  [
    ['nn, wasm', 'wasm', layers, ['forward', 'forward and backward']],
    ['nn, layer by layer, wasm', 'wasm', layerByLayer, ['forward', 'forward and backward']],
    ['nn without layout changes, wasm', 'wasm', channelsLast, ['forward', 'forward and backward']],
    ['the layout changes alone, wasm', 'wasm', layoutChanges, ['forward', 'forward and backward']],
    // No backward: the wasm backend has no kernel for the gradient of a filter.
    ['tfjs, wasm', 'wasm', tfjsKernels, ['forward']],
    ['nn, cpu', 'cpu', layers, ['forward', 'forward and backward']],
    ['tfjs, cpu', 'cpu', tfjsKernels, ['forward', 'forward and backward']],
  ];

async function measure(
  work: Case,
  pass: Pass,
  rounds: number,
  torch: ProcessWorker | undefined,
): Promise<Result[]> {
  const isChain = work.channels.length > 2;
  const wanted = tfjsContestants.filter(
    ([, , make, passes]) => passes.includes(pass) && (isChain || make !== layerByLayer),
  );
  const contestants: Contestant[] = [];
  let expected = await torch?.make({ ...work, pass, inputs: inputsOf(work) });
  for (const [name, backend, make] of wanted) {
    const contestant = await tfjsContestant(name, backend, () => make(work, pass));
    contestants.push(contestant);
    if (make === layoutChanges) continue;
    const prints = await contestant.fingerprints();
    expected ??= prints;
    checkAgreement(name, prints, expected);
  }
  if (torch) contestants.push({ name: 'PyTorch, one thread', run: (count) => torch.run(count) });
  const results = compare(await interleave(contestants, rounds));
  tf.disposeVariables();
  return results;
}

const names = Object.keys(cases) as (keyof typeof cases)[];
const options = readOptions(
  'bench:conv',
  'Measures convolutions here, in tfjs and in PyTorch, in turns.',
  names,
  process.argv.slice(2),
);
tf.enableProdMode();
const torch = await startTorch(options, fileURLToPath(new URL('convolution/torchStep.py', import.meta.url)));
try {
  const comparisons = [];
  for (const name of names.filter((name) => options.sizes.includes(name))) {
    const work: Case = cases[name];
    for (const pass of ['forward', 'forward and backward'] as const) {
      // Frees what the contestants made.
      tf.engine().startScope();
      const results = await measure(work, pass, options.rounds, torch);
      tf.engine().endScope();
      comparisons.push({ name, title: work.title, pass, results });
      if (!options.json) console.log(`${work.title}\n${ratioTable(pass, results)}\n`);
    }
  }
  const where = environment(torch?.version ?? null);
  if (options.json)
    console.log(JSON.stringify({ environment: where, rounds: options.rounds, comparisons }, null, 2));
  else console.log(`${options.rounds} rounds. ${sentence(where)}.`);
} finally {
  torch?.stop();
}
