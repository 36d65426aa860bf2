import * as tf from '@tensorflow/tfjs-core';
import { median } from 'simple-statistics';
import { removeParametrizations } from '../../src/index.ts';
import { peakOf } from '../../test/peakMemory.ts';
import { digits, tableOf } from '../measure/page.ts';
import type { ProcessWorker } from '../measure/processWorker.ts';
import type { Options } from '../measure/readOptions.ts';
import { type Entry, entries, hostOf, registrationTime, takes } from './entries.ts';
import { hasEquivalent, startTorchMaps } from './torchMaps.ts';

const shapes = [
  [64, 64],
  [256, 256],
  [512, 512],
  [1024, 1024],
  [2000, 50],
  [50, 4096],
] as const;

/** A registration that takes longer is not measured, by how long a smaller one took. */
const MOST_MILLISECONDS = 20_000;

/** The milliseconds of registrations here and in PyTorch, in turns, and the peak of one. */
interface Cost {
  readonly milliseconds: number;
  /** How many times as long as PyTorch, round by round; null without an equivalent. */
  readonly ratio: number | null;
  /** In tensors of the size of the weight. */
  readonly copies: number;
}

async function costOf(
  entry: Entry,
  shape: readonly number[],
  torch: ProcessWorker | undefined,
  rounds: number,
): Promise<Cost> {
  const host = hostOf(shape);
  const { bytes } = peakOf(() => entry.register(host));
  removeParametrizations(host, 'weight');
  const first = registrationTime(entry, host);
  const count = first > 2000 ? 1 : rounds;
  const compares = await hasEquivalent(torch, entry.title, shape, 'registration');
  const times: number[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < count; round++) {
    times.push(round === 0 && count === 1 ? first : registrationTime(entry, host));
    if (compares) ratios.push(times.at(-1)! / (await torch!.run(1)));
  }
  const { size } = host.weight;
  host.weight.dispose();
  return {
    milliseconds: median(times),
    ratio: compares ? median(ratios) : null,
    copies: bytes / (4 * size),
  };
}

const text = ({ milliseconds, ratio, copies }: Cost): string =>
  [`${digits(milliseconds)} ms`, ratio === null ? '–' : `${digits(ratio)}×`, digits(copies)].join(', ');

/**
 * Measures the registration of every map on weights of several shapes, on wasm.
 *
 * @returns a Markdown table; each cell has milliseconds, the time relative to PyTorch's nearest equivalent, and the peak
 * memory in tensors of the size of the weight
 */
export async function registrationTable(options: Options): Promise<string> {
  const torch = await startTorchMaps(options);
  await tf.setBackend('wasm');
  const rows: string[][] = [];
  try {
    for (const entry of entries) {
      let cubic = 0;
      const row: string[] = [entry.title];
      for (const shape of shapes) {
        const [m, n] = shape;
        const isSquare = m === n;
        // Asked with a small one.
        if (!takes(entry, isSquare ? [32, 32] : [m > n ? 64 : 32, m > n ? 32 : 64])) {
          row.push('–');
          continue;
        }
        const work = m * n * Math.min(m, n);
        if (cubic * work > MOST_MILLISECONDS) {
          console.error(`${entry.title}, [${shape.join(', ')}] is left out: it takes more than 20 s.`);
          row.push('> 20 s');
          continue;
        }
        const cost = await costOf(entry, shape, torch, Math.min(options.rounds, 5));
        if (isSquare) cubic = cost.milliseconds / work;
        row.push(text(cost));
      }
      rows.push(row);
      console.error(row.join(' | '));
    }
  } finally {
    torch?.stop();
  }
  return tableOf(['wasm', ...shapes.map((shape) => `[${shape.join(', ')}]`)], rows);
}
