/**
 * What it costs to get a checkpoint into the cpu backend, beside reading its bytes; see README.md.
 *
 *     npm run bench:checkpoint
 *     npm run bench:checkpoint -- --sizes small --rounds 21
 */
import '@tensorflow/tfjs';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import {
  type CheckpointFile,
  openSafetensors,
  openTorch,
  readSafetensors,
  readTorch,
  writeSafetensors,
} from '../src/checkpoint/index.ts';
import { environment, sentence } from './measure/environment.ts';
import { type Contestant, compare, interleave } from './measure/interleave.ts';
import { ratioTable } from './measure/ratioTable.ts';
import { readOptions } from './measure/readOptions.ts';
import { pythonWithTorch } from './measure/torchWorker.ts';

/** How many tensors of which shape: a thousand bytes each, or four million. */
const sizes = {
  tiny: { count: 300, shape: [16, 16] },
  small: { count: 5, shape: [1000, 1000] },
  large: { count: 50, shape: [1000, 1000] },
} as const;

type Size = keyof typeof sizes;

/** Work that makes tensors, which are disposed out of the measured time. */
const contestant = (name: string, work: () => Promise<tf.NamedTensorMap>): Contestant => ({
  name,
  async run(repetitions) {
    let milliseconds = 0;
    for (let i = 0; i < repetitions; i++) {
      const start = performance.now();
      const tensors = await work();
      milliseconds += performance.now() - start;
      tf.dispose(tensors);
    }
    return milliseconds;
  },
});

const bytes = (path: string): Contestant =>
  contestant('reading the bytes', async () => {
    await readFile(path);
    return {};
  });

async function all(opening: Promise<CheckpointFile>): Promise<tf.NamedTensorMap> {
  const file = await opening;
  const tensors: tf.NamedTensorMap = {};
  for (const name of file.names) tensors[name] = await file.tensor(name);
  await file.close();
  return tensors;
}

async function makeSafetensors(path: string, { count, shape }: (typeof sizes)[Size]): Promise<void> {
  const entries = Array.from({ length: count }, (_, i) => [
    `layers.${i}.weight`,
    tf.randomNormal([...shape]),
  ]);
  const tensors = Object.fromEntries(entries) as tf.NamedTensorMap;
  writeFileSync(path, await writeSafetensors(tensors));
  tf.dispose(tensors);
}

const script = fileURLToPath(new URL('checkpoint/saveTorch.py', import.meta.url));

const options = readOptions(
  'bench:checkpoint',
  'Measures reading checkpoints, beside reading their bytes, in turns.',
  Object.keys(sizes),
  process.argv.slice(2),
);
await tf.setBackend('cpu');
const python = options.torch
  ? (options.python ?? pythonWithTorch(['python3', '/usr/bin/python3']))
  : undefined;
if (python === undefined) console.error('Files of torch are left out: no Python here can import torch.');
const folder = mkdtempSync(join(tmpdir(), 'bench-checkpoint-'));
try {
  const comparisons = [];
  for (const size of options.sizes as Size[]) {
    const { count } = sizes[size];
    const path = join(folder, `${size}.safetensors`);
    await makeSafetensors(path, sizes[size]);
    const cases: [string, string, Contestant[]][] = [
      [
        'safetensors',
        path,
        [
          contestant('readSafetensors', async () => readSafetensors(await readFile(path)).tensors),
          contestant('openSafetensors, one by one', () => all(openSafetensors(path))),
        ],
      ],
    ];
    for (const container of python === undefined || size === 'tiny' ? [] : (['zip', 'legacy'] as const)) {
      const torchPath = join(folder, `${size}.${container}.pt`);
      execFileSync(python!, [script, torchPath, String(count), container]);
      cases.push([
        container === 'zip' ? '.pt' : '.pt, before 1.6',
        torchPath,
        [
          contestant('readTorch', async () => readTorch(await readFile(torchPath)).tensors),
          contestant('openTorch, one by one', () => all(openTorch(torchPath))),
        ],
      ]);
    }
    for (const [name, file, contestants] of cases) {
      const results = compare(await interleave([bytes(file), ...contestants], options.rounds));
      const title = `${name}, ${(statSync(file).size / 1e6).toPrecision(2)} MB`;
      comparisons.push({ name, size, title, results });
      if (!options.json) console.log(`${ratioTable(title, results)}\n`);
    }
  }
  const where = environment(null);
  if (options.json)
    console.log(JSON.stringify({ environment: where, rounds: options.rounds, comparisons }, null, 2));
  else console.log(`${options.rounds} rounds. ${sentence(where)}.`);
} finally {
  rmSync(folder, { recursive: true });
}
