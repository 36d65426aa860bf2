import * as tf from '@tensorflow/tfjs-core';
import { CheckpointError, readSafetensors, readTorch } from '../../../src/checkpoint/index.ts';
import { stateDicts } from './goodFiles.ts';
import { mutant, randomNumbers } from './mutate.ts';

/** What became of many mutants. */
export interface Outcomes {
  readonly read: number;
  /** How many were refused, by code. */
  readonly refused: Readonly<Record<string, number>>;
  /** The slowest, in milliseconds. */
  readonly slowest: number;
  /** What must not happen, with what it takes to make it happen again. */
  readonly findings: readonly string[];
}

const prototype = Reflect.ownKeys(Object.prototype).join();

/**
 * Reads mutants of the good files; with the same seed the same.
 *
 * @param onStart - is told the seed of each before it is read: of one that never ends nothing else is heard
 * @param slowestAllowed - milliseconds; a slower mutant is a finding. Tests set no limit, because a machine may be slow.
 */
export function readMutants(
  count: number,
  seed: number,
  onStart: (seed: number) => void = () => {},
  slowestAllowed = Number.POSITIVE_INFINITY,
): Outcomes {
  const refused: Record<string, number> = {};
  const findings: string[] = [];
  let [read, slowest] = [0, 0];
  for (let i = 0; i < count; i++) {
    const random = randomNumbers(seed + i);
    const file = stateDicts[random(stateDicts.length)]!;
    const bytes = mutant(file.bytes, stateDicts[random(stateDicts.length)]!.bytes, random);
    const found = (text: string): void => void findings.push(`seed ${seed + i}, from ${file.name}: ${text}`);
    onStart(seed + i);
    const before = tf.memory().numTensors;
    const start = performance.now();
    try {
      const checkCrc = random(4) === 0;
      const { tensors } = file.name.endsWith('.pt') ? readTorch(bytes, { checkCrc }) : readSafetensors(bytes);
      const most = 16 * 2 ** 20 + 8 * bytes.length;
      const size = Object.values(tensors).reduce((sum, tensor) => sum + tensor.size * 4, 0);
      if (size > most) found(`${size} bytes of tensors from ${bytes.length}`);
      tf.dispose(tensors);
      read++;
    } catch (error) {
      if (!(error instanceof CheckpointError)) found(`threw ${String((error as Error).stack ?? error)}`);
      else refused[error.code] = (refused[error.code] ?? 0) + 1;
    }
    const milliseconds = performance.now() - start;
    slowest = Math.max(slowest, milliseconds);
    if (milliseconds > slowestAllowed) found(`took ${Math.round(milliseconds)} ms`);
    if (tf.memory().numTensors !== before) found(`left ${tf.memory().numTensors - before} tensors`);
    if (Reflect.ownKeys(Object.prototype).join() !== prototype) found('changed Object.prototype');
  }
  return { read, refused, slowest, findings };
}
