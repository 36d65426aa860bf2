import type * as tf from '@tensorflow/tfjs-core';
import { fold, invalidate, isParametrized } from 'tfjs-parametrize';
import { loadCheckpoint } from 'tfjs-parametrize/checkpoint';
import { Generator, type GeneratorSize } from './generator.ts';
import { normalizeGenerator } from './normalizeGenerator.ts';

/** The loaded generator before and after fold. */
export interface Loaded {
  /** The keys that the file and the model have. */
  readonly keys: readonly string[];
  readonly folded: readonly string[];
  readonly normalized: Float32Array;
  readonly plain: Float32Array;
  /** The median of the milliseconds of a call. */
  readonly times: {
    /** The weights are computed in each call, as after a training step. */
    readonly computed: number;
    /** The weights are kept between calls. */
    readonly kept: number;
    readonly folded: number;
  };
}

/** Loads a file into a new weight-normalized generator, runs it, folds it, and runs it again. */
export async function loadAndFold(
  file: string | URL,
  size: GeneratorSize,
  frames: tf.Tensor,
  calls: number,
): Promise<Loaded> {
  const generator = new Generator(size);
  try {
    normalizeGenerator(generator);
    const { mapped } = await loadCheckpoint(generator, file);
    generator.eval();
    const run = async (): Promise<Float32Array> => {
      const output = generator.call(frames);
      const samples = (await output.data()) as Float32Array;
      output.dispose();
      return samples;
    };
    const normalized = await run();
    const kept = await timeOf(run, calls);
    const layers = [...generator.modules()].filter((module) => isParametrized(module));
    const computed = await timeOf(() => {
      for (const layer of layers) invalidate(layer);
      return run();
    }, calls);
    const folded = fold(generator);
    const plain = await run();
    return {
      keys: mapped.flatMap(({ from }) => from),
      folded,
      normalized,
      plain,
      times: { computed, kept, folded: await timeOf(run, calls) },
    };
  } finally {
    generator.dispose();
  }
}

async function timeOf(run: () => Promise<unknown>, calls: number): Promise<number> {
  const times: number[] = [];
  for (let call = 0; call < calls; call++) {
    const begin = performance.now();
    await run();
    times.push(performance.now() - begin);
  }
  return times.sort((a, b) => a - b)[Math.floor(calls / 2)]!;
}
