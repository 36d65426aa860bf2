/**
 * What weight normalization costs: fused, in tfjs operations, in PyTorch, and in models; see README.md.
 *
 *     npm run bench
 *     npm run bench -- --sizes tiny,small --rounds 21
 *     npm run bench -- --write                            puts the results into docs/performance.md
 */
import '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { environment, sentence } from './measure/environment.ts';
import { checkAgreement, type Fingerprint } from './measure/fingerprint.ts';
import { type Contestant, compare, interleave, type Result } from './measure/interleave.ts';
import { markdownTable, writeSection } from './measure/page.ts';
import { ratioTable } from './measure/ratioTable.ts';
import { type Options, readOptions } from './measure/readOptions.ts';
import { type Backend, type Step, tfjsContestant } from './measure/tfjsContestant.ts';
import { pythonWithTorch, TorchWorker } from './measure/torchWorker.ts';
import { casesOf, inputsOf, type Pass, shapes, titleOf } from './weightNorm/cases.ts';
import { copy, fused, type MakeStep, operations, reference } from './weightNorm/contestants.ts';
import { modelComparisons } from './weightNorm/models.ts';

interface Comparison {
  readonly title: string;
  readonly results: readonly Result[];
}

/** The first is what the others are compared with. */
const kernels: readonly [name: string, make: MakeStep, passes: readonly Pass[]][] = [
  ['fused', fused, ['forward', 'backward', 'forward and backward']],
  ['memory copy', copy, ['forward', 'backward', 'forward and backward']],
  ['tfjs operations', operations, ['forward', 'forward and backward']],
  ['reference', reference, ['forward', 'forward and backward']],
];

const page = 'docs/performance.md';

async function measure(
  ways: readonly (readonly [name: string, make: () => Step])[],
  backend: Backend,
  rounds: number,
  torch?: { readonly name: string; readonly worker: TorchWorker; readonly work: object },
): Promise<Result[]> {
  // Frees what the contestants make.
  tf.engine().startScope();
  const contestants: Contestant[] = [];
  let expected: Fingerprint[] | undefined = await torch?.worker.make(torch.work);
  for (const [name, make] of ways) {
    const contestant = await tfjsContestant(name, backend, make);
    const prints = await contestant.fingerprints();
    // A copy computes nothing.
    if (prints.length > 0) {
      expected ??= prints;
      checkAgreement(name, prints, expected);
    }
    contestants.push(contestant);
  }
  if (torch) contestants.push({ name: torch.name, run: (count) => torch.worker.run(count) });
  const results = compare(await interleave(contestants, rounds));
  tf.disposeVariables();
  tf.engine().endScope();
  return results;
}

async function startTorch({ torch, python }: Options): Promise<TorchWorker | undefined> {
  if (!torch) return undefined;
  const found = python ?? pythonWithTorch(['python3', '/usr/bin/python3']);
  if (found !== undefined) {
    return TorchWorker.start(found, fileURLToPath(new URL('weightNorm/torchStep.py', import.meta.url)));
  }
  console.error('PyTorch is left out: no Python here can import torch. --python names one that can.');
  return undefined;
}

const names = Object.keys(shapes) as (keyof typeof shapes)[];
const options = readOptions(
  'bench',
  'Measures weight normalization: fused, in tfjs operations, in PyTorch and in models, in turns.',
  names,
  process.argv.slice(2),
  page,
);
tf.enableProdMode();
const worker = await startTorch(options);
const where = environment(worker?.version ?? null);

async function kernelComparisons(backend: Backend): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  const works = names.filter((name) => options.sizes.includes(name)).flatMap((name) => casesOf(shapes[name]));
  for (const work of works) {
    // On cpu, where nothing else computes it alone, backward is part of both.
    if (backend === 'cpu' && work.pass === 'backward') continue;
    const ways = kernels
      .filter(([, , passes]) => passes.includes(work.pass))
      .map(([name, make]) => [name, () => make(work)] as const);
    const torch =
      worker && backend === 'wasm'
        ? { name: 'PyTorch', worker, work: { ...work, inputs: inputsOf(work) } }
        : undefined;
    comparisons.push(report(titleOf(work), backend, await measure(ways, backend, options.rounds, torch)));
  }
  return comparisons;
}

async function models(backend: Backend): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const { title, ways, torch: pass } of modelComparisons) {
    const torch =
      worker && pass !== undefined ? { name: 'PyTorch, in cached', worker, work: { pass } } : undefined;
    comparisons.push(report(title, backend, await measure(ways, backend, options.rounds, torch)));
  }
  return comparisons;
}

function report(title: string, backend: Backend, results: Result[]): Comparison {
  if (!options.json) console.log(`${ratioTable(`${title} (${backend})`, results)}\n`);
  return { title, results };
}

/** The comparisons as Markdown, each model in a table of its own. */
function markdown(all: Readonly<Record<Backend, { kernels: Comparison[]; models: Comparison[] }>>): string {
  const sections = (['wasm', 'cpu'] as const).flatMap((backend) => [
    `### The ${backend} backend`,
    markdownTable(all[backend].kernels),
    ...all[backend].models.map((comparison) => markdownTable([comparison])),
  ]);
  return [`${options.rounds} rounds. ${sentence(where)}.`, ...sections].join('\n\n');
}

try {
  const all = {
    wasm: { kernels: await kernelComparisons('wasm'), models: await models('wasm') },
    cpu: { kernels: await kernelComparisons('cpu'), models: await models('cpu') },
  };
  if (options.json) {
    console.log(JSON.stringify({ environment: where, rounds: options.rounds, ...all }, null, 2));
  } else console.log(`${options.rounds} rounds. ${sentence(where)}.`);
  if (options.write) writeSection(page, 'results', markdown(all));
} finally {
  worker?.stop();
}
