import { gzipSync } from 'node:zlib';
import * as tf from '@tensorflow/tfjs';
import { fakeQuantize, fold, parametrize } from 'tfjs-parametrize';
import { pruneGlobally, pruneGradually, saveQuantized, sparsityOf } from 'tfjs-parametrize/finetune';
import 'tfjs-parametrize/layers';
import type { Digits } from '../mnist/digits.ts';
import { accuracyOf } from '../mnist/predict.ts';
import { classifier, type Examples, examplesOf, probabilitiesOf, stepsOf, trainModel } from './classifier.ts';

/** The shares of zeros, and the bits of a weight; 32 are those of a float. */
export const sparsities = [0, 0.5, 0.8, 0.9, 0.95, 0.98];
export const bitCounts = [32, 8, 4];

/** One model: how it was made small, and what that came to. */
export interface Point {
  readonly seed: number;
  readonly sparsity: number;
  readonly bits: number;
  /** On the test digits, by the plain model that was loaded from the file. */
  readonly accuracy: number;
  /** The bytes of all weights in the file, and the same after gzip. */
  readonly bytes: number;
  readonly gzip: number;
  /** The share of zeros in the kernels. */
  readonly zeros: number;
  /** True if the plain model of the file predicts the same as the trained one, bit for bit. */
  readonly isFileExact: boolean;
}

/** What all models share. */
export interface Setting {
  readonly training: Digits;
  readonly test: Digits;
  readonly epochs: number;
  readonly signal: AbortSignal;
  /** Is told of every model. */
  done(point: Point): void;
}

/** Learning rates of Adam. */
const rates = { dense: 0.001, pruning: 0.001, rounding: 0.0003 };

const kernels = { type: 'Dense', name: 'kernel' } as const;

/** Trains a network, and makes it small in all ways. */
export async function compressModel(seed: number, setting: Setting): Promise<Point[]> {
  const training = examplesOf(setting.training, seed);
  const test = { ...examplesOf(setting.test), digits: setting.test };
  const dense = classifier(seed);
  const points: Point[] = [];
  try {
    await trainModel(dense, training, setting.epochs, rates.dense);
    for (const sparsity of sparsities) {
      const pruned = copyOf(dense);
      try {
        await pruneWhileTraining(pruned, training, sparsity, setting.epochs);
        for (const bits of bitCounts) {
          setting.signal.throwIfAborted();
          const point = await quantized(pruned, { seed, sparsity, bits }, training, test, setting);
          points.push(point);
          setting.done(point);
        }
      } finally {
        pruned.dispose();
      }
    }
    return points;
  } finally {
    dense.dispose();
    tf.dispose([training.images, training.labels, test.images, test.labels]);
  }
}

/**
 * Hides more and more of the smallest weights of all kernels in the first half of the training. The dense one trains as
 * long.
 */
async function pruneWhileTraining(
  model: tf.LayersModel,
  training: Examples,
  sparsity: number,
  epochs: number,
): Promise<void> {
  if (sparsity === 0) return trainModel(model, training, epochs, rates.pruning);
  const end = Math.ceil(stepsOf(training, epochs) / 2);
  const pruning = pruneGradually(model, {
    ...kernels,
    final: sparsity,
    global: true,
    end,
    every: Math.max(1, Math.round(end / 20)),
  });
  await trainModel(model, training, epochs, rates.pruning, pruning);
  fold(model);
}

/** A test set. */
type Test = Examples & { readonly digits: Digits };

/** Trains a copy whose weights are rounded, saves it, and measures the file. */
async function quantized(
  pruned: tf.LayersModel,
  how: Pick<Point, 'seed' | 'sparsity' | 'bits'>,
  training: Examples,
  test: Test,
  { epochs }: Setting,
): Promise<Point> {
  const model = copyOf(pruned);
  try {
    // The zeros of the copy are its smallest weights: the masks hide the same.
    if (how.sparsity > 0) pruneGlobally(model, { ...kernels, sparsity: how.sparsity });
    if (how.bits < 32) {
      const options = { bits: how.bits, observer: 'minMax' } as const;
      parametrize(model, [{ ...kernels, apply: fakeQuantize, options, onConflict: 'append' }]);
    }
    // Floats train as long as integers, so that the difference is that of the rounding.
    await trainModel(model, training, Math.ceil(epochs / 3), rates.rounding);
    const { sparsity: zeros } = await sparsityOf(model, kernels);
    let artifacts: tf.io.ModelArtifacts = {};
    const memory = tf.io.withSaveHandler(async (saved) => {
      artifacts = saved;
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    });
    const { bytes } = await saveQuantized(model, memory);
    const plain = await tf.loadLayersModel(tf.io.fromMemory(artifacts));
    try {
      const probabilities = await probabilitiesOf(plain, test);
      const trained = await probabilitiesOf(model, test);
      return {
        ...how,
        accuracy: accuracyOf(probabilities, test.digits),
        bytes,
        gzip: gzipSync(new Uint8Array(artifacts.weightData as ArrayBuffer), { level: 9 }).length,
        zeros,
        isFileExact: probabilities.every((value, i) => Object.is(value, trained[i])),
      };
    } finally {
      plain.dispose();
    }
  } finally {
    model.dispose();
  }
}

/** A plain model with the weights of another plain one. */
function copyOf(model: tf.LayersModel): tf.LayersModel {
  const copy = classifier(0);
  copy.setWeights(model.getWeights());
  return copy;
}
