import { statSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { copyInto, nn } from 'tfjs-parametrize';
import { loadCheckpoint, saveCheckpoint } from 'tfjs-parametrize/checkpoint';
import {
  loadAdapter,
  mergeAdapters,
  saveAdapter,
  setAdapters,
  unloadAdapters,
} from 'tfjs-parametrize/finetune';
import { classCount, type Digits, digitsOf } from '../mnist/digits.ts';
import { predict } from '../mnist/predict.ts';
import type { Progress } from '../mnist/progress.ts';
import { type Accuracies, accuraciesOf } from './accuracies.ts';
import { addAdapter, newDigits, oldDigits, trainedCount } from './addAdapter.ts';
import { learn, stepsOf } from './learn.ts';
import { Network } from './network.ts';

/** What a network learns in each of two ways from one base. */
export interface Taught {
  readonly seed: number;
  /** On the test digits. */
  readonly accuracy: Readonly<Record<'base' | 'full' | 'adapter', Accuracies>>;
  /** The number of parameters of the model without adapters, and of those that the adapter trains. */
  readonly parameters: { readonly model: number; readonly adapter: number };
  /** Of the file of the model, and of `adapter_model.safetensors`. */
  readonly bytes: { readonly model: number; readonly adapter: number };
  /** The largest difference of a probability between the merged and the unmerged model, over all test digits. */
  readonly mergedDifference: number;
  /** True if a logit of the model has the same bits as that of the base: with no active adapter, and unloaded. */
  readonly isBaseKept: boolean;
  /** True if a new model with the two files has the same logits, bit for bit. */
  readonly isFileExact: boolean;
  /** `tf.memory().numTensors` before the run and after it. */
  readonly tensors: { readonly before: number; readonly after: number };
}

/** The digits and how to train with them. */
export interface Setting {
  readonly training: Digits;
  readonly test: Digits;
  readonly passes: number;
  /** The folder of the two files. */
  readonly folder: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** The largest learning rates of Adam. They were chosen on other seeds than those of the table. */
const rates = { base: 0.001, full: 0.001, adapter: 0.005 };

/** Trains a base on the old digits, and lets two copies learn the new digits: one whole, one by an adapter. */
export async function teachTwice(seed: number, setting: Setting): Promise<Taught> {
  const before = tf.memory().numTensors;
  nn.manualSeed(seed);
  const base = new Network();
  const [full, adapted, fresh] = [new Network(), new Network(), new Network()];
  try {
    const taught = await teach(seed, { base, full, adapted, fresh }, setting);
    for (const network of [base, full, adapted, fresh]) network.dispose();
    return { ...taught, tensors: { before, after: tf.memory().numTensors } };
  } finally {
    for (const network of [base, full, adapted, fresh]) network.dispose();
    setting.progress.stop();
  }
}

/** Networks of the same form. */
type Networks = Readonly<Record<'base' | 'full' | 'adapted' | 'fresh', Network>>;

async function teach(
  seed: number,
  { base, full, adapted, fresh }: Networks,
  setting: Setting,
): Promise<Omit<Taught, 'tensors'>> {
  const { training, test, passes, folder, progress, signal } = setting;
  const logitsOf = (network: Network): Promise<Float32Array> => predict(network, test, signal);
  const oldOnes = digitsOf(training, oldDigits);
  const newOnes = digitsOf(training, newDigits);
  const lesson = async (
    name: keyof typeof rates,
    network: Network,
    digits: Digits,
  ): Promise<Float32Array> => {
    // The base needs half of the time.
    const wanted = { passes: name === 'base' ? Math.ceil(passes / 2) : passes, rate: rates[name] };
    progress.start(`seed ${seed}, ${name}`, stepsOf(digits, wanted));
    await learn(network, digits, seed, wanted, (loss) => progress.step(loss), signal);
    progress.stop();
    return logitsOf(network);
  };

  const baseLogits = await lesson('base', base, oldOnes);
  const file = join(folder, 'base.safetensors');
  await saveCheckpoint(base, file);
  for (const network of [full, adapted]) copyInto(network, base);
  const model = trainedCount(base);

  const fullLogits = await lesson('full', full, newOnes);
  addAdapter(adapted, 'digits');
  const adapter = trainedCount(adapted);
  const adapterLogits = await lesson('adapter', adapted, newOnes);
  await saveAdapter(adapted, folder, { adapter: 'digits' });

  await loadCheckpoint(fresh, file);
  await loadAdapter(fresh, folder, { adapter: 'digits' });
  const isFileExact = areSame(await logitsOf(fresh), adapterLogits);

  const merged = await mergeAdapters(adapted);
  const mergedDifference = largestDifference(await logitsOf(adapted), adapterLogits);
  merged.unmerge();
  setAdapters(adapted, null);
  const switchedOff = await logitsOf(adapted);
  unloadAdapters(adapted);
  const unloaded = await logitsOf(adapted);

  return {
    seed,
    accuracy: {
      base: accuraciesOf(baseLogits, test),
      full: accuraciesOf(fullLogits, test),
      adapter: accuraciesOf(adapterLogits, test),
    },
    parameters: { model, adapter },
    bytes: {
      model: statSync(file).size,
      adapter: statSync(join(folder, 'adapter_model.safetensors')).size,
    },
    mergedDifference,
    isBaseKept: areSame(switchedOff, baseLogits) && areSame(unloaded, baseLogits),
    isFileExact,
  };
}

const areSame = (a: Float32Array, b: Float32Array): boolean =>
  a.length === b.length && a.every((value, i) => Object.is(value, b[i]));

/** The largest difference of two probabilities. */
function largestDifference(a: Float32Array, b: Float32Array): number {
  const [p, q] = [probabilities(a), probabilities(b)];
  return p.reduce((largest, value, i) => Math.max(largest, Math.abs(value - q[i]!)), 0);
}

/** The softmax of each ten logits, in float64. */
function probabilities(logits: Float32Array): number[] {
  const result: number[] = [];
  for (let start = 0; start < logits.length; start += classCount) {
    const scores = [...logits.subarray(start, start + classCount)];
    const most = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - most));
    const sum = powers.reduce((total, power) => total + power, 0);
    result.push(...powers.map((power) => power / sum));
  }
  return result;
}
