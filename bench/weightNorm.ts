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
import { ProcessWorker } from './measure/processWorker.ts';
import { ratioTable } from './measure/ratioTable.ts';
import { readOptions } from './measure/readOptions.ts';
import { type Backend, type Step, tfjsContestant } from './measure/tfjsContestant.ts';
import { startTorch } from './measure/torchWorker.ts';
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

/** Work that another process does. */
interface OtherProcess {
  readonly name: string;
  readonly worker: ProcessWorker;
  readonly work: object;
}

async function measure(
  ways: readonly (readonly [name: string, make: () => Step])[],
  backend: Backend,
  rounds: number,
  others: readonly OtherProcess[],
): Promise<Result[]> {
  // Frees what the contestants make.
  tf.engine().startScope();
  const contestants: Contestant[] = [];
  let expected: Fingerprint[] | undefined;
  for (const { name, worker, work } of others) {
    const prints = await worker.make(work);
    expected ??= prints;
    checkAgreement(name, prints, expected);
  }
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
  for (const { name, worker } of others) contestants.push({ name, run: (count) => worker.run(count) });
  const results = compare(await interleave(contestants, rounds));
  tf.disposeVariables();
  tf.engine().endScope();
  return results;
}

/** jax-js, compiled to WebAssembly, if it is installed. */
async function startJax(): Promise<ProcessWorker | undefined> {
  const file = fileURLToPath(new URL('weightNorm/jaxWorker.ts', import.meta.url));
  try {
    import.meta.resolve('@jax-js/jax');
    return await ProcessWorker.start(process.execPath, [...process.execArgv, file]);
  } catch (error) {
    console.error(`jax-js is left out: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
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
const worker = await startTorch(options, fileURLToPath(new URL('weightNorm/torchStep.py', import.meta.url)));
const jax = await startJax();
const where = environment(worker?.version ?? null);
const versions = `${sentence(where)}, ${jax ? `jax-js ${jax.version}` : 'no jax-js'}`;

async function kernelComparisons(backend: Backend): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  const works = names.filter((name) => options.sizes.includes(name)).flatMap((name) => casesOf(shapes[name]));
  for (const work of works) {
    // On cpu, where nothing else computes it alone, backward is part of both.
    if (backend === 'cpu' && work.pass === 'backward') continue;
    const ways = kernels
      .filter(([, , passes]) => passes.includes(work.pass))
      .map(([name, make]) => [name, () => make(work)] as const);
    const asked = { ...work, inputs: inputsOf(work) };
    const others: OtherProcess[] = [];
    if (worker && backend === 'wasm') others.push({ name: 'PyTorch', worker, work: asked });
    // Of jax-js, too, backward alone cannot be asked for.
    if (jax && backend === 'wasm' && work.pass !== 'backward') {
      others.push({ name: 'jax-js', worker: jax, work: asked });
    }
    comparisons.push(report(titleOf(work), backend, await measure(ways, backend, options.rounds, others)));
  }
  return comparisons;
}

async function models(backend: Backend): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const { title, ways, torch: pass } of modelComparisons) {
    const others: OtherProcess[] =
      worker && pass !== undefined ? [{ name: 'PyTorch, in cached', worker, work: { pass } }] : [];
    comparisons.push(report(title, backend, await measure(ways, backend, options.rounds, others)));
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
  return [`${options.rounds} rounds. ${versions}.`, ...sections].join('\n\n');
}

try {
  const all = {
    wasm: { kernels: await kernelComparisons('wasm'), models: await models('wasm') },
    cpu: { kernels: await kernelComparisons('cpu'), models: await models('cpu') },
  };
  if (options.json) {
    console.log(
      JSON.stringify(
        { environment: { ...where, jax: jax?.version ?? null }, rounds: options.rounds, ...all },
        null,
        2,
      ),
    );
  } else console.log(`${options.rounds} rounds. ${versions}.`);
  if (options.write) writeSection(page, 'results', markdown(all));
} finally {
  worker?.stop();
  jax?.stop();
}
