import * as tf from '@tensorflow/tfjs-core';
import { type Contestant, interleave, type Spread, spread } from '../measure/interleave.ts';
import { type Backend, tfjsContestant } from '../measure/tfjsContestant.ts';
import type { Case, Pass } from '../weightNorm/cases.ts';
import { copy, fused, type MakeStep } from '../weightNorm/contestants.ts';
import { collectGarbage } from './collectGarbage.ts';

/** Matrices from 196 thousand to 38 million numbers. */
const matrices = [
  [256, 768],
  [512, 1536],
  [512, 4608],
  [1024, 9216],
  [2048, 18432],
] as const satisfies readonly (readonly [number, number])[];

/** What one size costs. */
export interface SizeCost {
  readonly shape: readonly [number, number];
  /** Nanoseconds per number of the matrix. */
  readonly normalized: Spread;
  /** The same, of copying it. */
  readonly copied: Spread;
  /** How many times as long as the copy, round by round. */
  readonly ratio: Spread;
}

/** Weight norm, and copies of the same size, of all sizes in turns. */
export async function kernelCosts(backend: Backend, pass: Pass, rounds: number): Promise<SizeCost[]> {
  // Frees what the contestants make.
  tf.engine().startScope();
  const contestants: Contestant[] = [];
  for (const shape of matrices) {
    const work: Case = { shape, kept: 0, pass };
    const make = async (way: MakeStep): Promise<Contestant> => {
      const { name, run } = await tfjsContestant(`${way.name} ${shape}`, backend, () => way(work));
      return {
        name,
        run(repetitions) {
          collectGarbage();
          return run(repetitions);
        },
      };
    };
    contestants.push(await make(fused), await make(copy));
  }
  const times = [...(await interleave(contestants, rounds)).values()];
  tf.engine().endScope();
  return matrices.map((shape, i) => {
    const [own, copied] = [times[2 * i]!, times[2 * i + 1]!];
    const perNumber = (all: ReadonlyMap<number, number>) =>
      spread(Array.from(all.values(), (milliseconds) => (1e6 * milliseconds) / (shape[0] * shape[1])));
    return {
      shape,
      normalized: perNumber(own),
      copied: perNumber(copied),
      ratio: spread(Array.from(own, ([round, time]) => time / copied.get(round)!)),
    };
  });
}
