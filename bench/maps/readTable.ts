import * as tf from '@tensorflow/tfjs-core';
import { type Contestant, compare, interleave } from '../measure/interleave.ts';
import { digits, tableOf } from '../measure/page.ts';
import type { Options } from '../measure/readOptions.ts';
import { tfjsContestant } from '../measure/tfjsContestant.ts';
import { type Entry, entries, productStep, readStep, takes } from './entries.ts';
import { hasEquivalent, startTorchMaps } from './torchMaps.ts';

const passes = ['read', 'gradient'] as const;

/** A square matrix, or a tall one for maps that take no square ones. */
const shapeFor = (entry: Entry, n: number): number[] => (takes(entry, [n, n]) ? [n, n] : [n, n / 2]);

/**
 * Measures a read of every map, and a read with its gradients, relative to a product of two matrices of the same size.
 *
 * @returns the medians as a Markdown table
 */
export async function readTable(options: Options): Promise<string> {
  const workers = await Promise.all(passes.map(() => startTorchMaps(options)));
  const rows: string[][] = [];
  await tf.setBackend('wasm');
  try {
    for (const n of [64, 256]) {
      for (const entry of entries) {
        const shape = shapeFor(entry, n);
        tf.engine().startScope();
        const contestants: Contestant[] = [await tfjsContestant('product', 'wasm', () => productStep(n))];
        for (const pass of passes) {
          contestants.push(await tfjsContestant(pass, 'wasm', () => readStep(entry, shape, pass)));
        }
        for (const [i, pass] of passes.entries()) {
          const torch = workers[i];
          if (await hasEquivalent(torch, entry.title, shape, pass)) {
            contestants.push({ name: `torch, ${pass}`, run: (count) => torch!.run(count) });
          }
        }
        const results = new Map(
          compare(await interleave(contestants, options.rounds)).map((result) => [result.name, result]),
        );
        tf.disposeVariables();
        tf.engine().endScope();
        const cell = (name: string): string => {
          const result = results.get(name);
          return result === undefined ? '–' : digits(result.ratio.median);
        };
        rows.push([
          `${entry.title}, [${shape.join(', ')}]`,
          digits(results.get('product')!.milliseconds.median),
          ...['read', 'gradient', 'torch, read', 'torch, gradient'].map(cell),
        ]);
        console.error(rows.at(-1)!.join(' | '));
      }
    }
  } finally {
    for (const worker of workers) worker?.stop();
  }
  const head = ['wasm', 'product, ms', 'read', 'with gradient', 'PyTorch, read', 'PyTorch, with gradient'];
  return tableOf(head, rows);
}
