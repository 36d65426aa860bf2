/**
 * What reading and registering the maps of the catalog costs, here and in PyTorch; see README.md.
 *
 *     npm run bench:maps
 *     npm run bench:maps -- --sizes tiny,small --rounds 21
 *     npm run bench:maps -- --sizes reads,registrations --rounds 5
 *     npm run bench:maps -- --write
 */
import '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { type Case, casesOf, scaleOf, sizes, titleOf } from './maps/cases.ts';
import { mapStep } from './maps/contestant.ts';
import { readTable } from './maps/readTable.ts';
import { registrationTable } from './maps/registrationTable.ts';
import { environment, sentence } from './measure/environment.ts';
import { checkAgreement } from './measure/fingerprint.ts';
import { type Contestant, compare, interleave, type Result } from './measure/interleave.ts';
import { markdownTable, writeSection } from './measure/page.ts';
import { ratioTable } from './measure/ratioTable.ts';
import { readOptions } from './measure/readOptions.ts';
import { tfjsContestant } from './measure/tfjsContestant.ts';
import { startTorch } from './measure/torchWorker.ts';

const page = 'docs/performance.md';
const names = Object.keys(sizes) as (keyof typeof sizes)[];
const tables = ['reads', 'registrations'] as const;
const options = readOptions(
  'bench:maps',
  'Measures spectral norm and orthogonal matrices here and in PyTorch, in turns.',
  [...names, ...tables],
  process.argv.slice(2),
  page,
);
tf.enableProdMode();
const torch = await startTorch(options, fileURLToPath(new URL('maps/torchStep.py', import.meta.url)));

async function measure(work: Case): Promise<Result[]> {
  // Frees what the contestants make.
  tf.engine().startScope();
  const contestants: Contestant[] = [];
  let expected = await torch?.make({ ...work, scale: scaleOf(work) });
  for (const backend of ['wasm', 'cpu'] as const) {
    const contestant = await tfjsContestant(backend, backend, () => mapStep(work));
    const prints = await contestant.fingerprints();
    expected ??= prints;
    checkAgreement(backend, prints, expected);
    contestants.push(contestant);
  }
  if (torch) contestants.push({ name: 'PyTorch', run: (count) => torch.run(count) });
  const results = compare(await interleave(contestants, options.rounds));
  tf.disposeVariables();
  tf.engine().endScope();
  return results;
}

try {
  const comparisons: { title: string; results: Result[] }[] = [];
  for (const name of names.filter((name) => options.sizes.includes(name))) {
    for (const work of casesOf(sizes[name])) {
      const title = titleOf(work);
      const results = await measure(work);
      comparisons.push({ title, results });
      if (!options.json) console.log(`${ratioTable(title, results)}\n`);
    }
  }
  const where = environment(torch?.version ?? null);
  const { rounds } = options;
  if (options.json) console.log(JSON.stringify({ environment: where, rounds, comparisons }, null, 2));
  else if (comparisons.length > 0) console.log(`${rounds} rounds. ${sentence(where)}.`);
  if (options.write && comparisons.length > 0) {
    writeSection(page, 'maps', `${rounds} rounds. ${sentence(where)}.\n\n${markdownTable(comparisons)}`);
  }
  const tableFor = { reads: readTable, registrations: registrationTable };
  for (const table of tables.filter((table) => options.sizes.includes(table))) {
    const text = `${rounds} rounds. ${sentence(where)}.\n\n${await tableFor[table](options)}`;
    if (!options.json) console.log(`${text}\n`);
    if (options.write) writeSection(page, `map ${table}`, text);
  }
} finally {
  torch?.stop();
}
