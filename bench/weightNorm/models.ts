import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { cached, fold, nn, weightNorm } from '../../src/index.ts';
import type { Step } from '../measure/tfjsContestant.ts';

/** A model as it is, and with weight normalization, in one or more ways of using it. */
export interface ModelComparison {
  readonly title: string;
  /** The first is what the others are compared with. */
  readonly ways: readonly (readonly [name: string, make: () => Step])[];
  /** What PyTorch is asked to do besides, if anything; see torchStep.py. */
  readonly torch?: string;
}

/** One step of a GRU; every step reads its weights. */
class Cell extends nn.Module {
  weightIh: Tensor;
  weightHh: Tensor;
  readonly hidden: number;

  constructor(input: number, hidden: number) {
    super();
    this.hidden = hidden;
    this.weightIh = nn.parameter(() => wave([3 * hidden, input], 0.7, 1 / Math.sqrt(input)));
    this.weightHh = nn.parameter(() => wave([3 * hidden, hidden], 1.1, 1 / Math.sqrt(hidden)));
  }

  override forward(x: Tensor, h: Tensor): Tensor {
    const [r, z, n] = tf.split(tf.matMul(x, this.weightIh as tf.Tensor2D, false, true), 3, 1);
    const [hr, hz, hn] = tf.split(tf.matMul(h, this.weightHh as tf.Tensor2D, false, true), 3, 1);
    const reset = tf.sigmoid(tf.add(r!, hr!));
    const update = tf.sigmoid(tf.add(z!, hz!));
    const candidate = tf.tanh(tf.add(n!, tf.mul(reset, hn!)));
    return tf.add(candidate, tf.mul(update, tf.sub(h, candidate)));
  }
}

const recurrence = { steps: 100, batch: 8, input: 64, hidden: 128 };

/** The gradients of the last state after a hundred steps. */
function gruStep(isNormalized: boolean, isCached: boolean): Step {
  const { steps, batch, input, hidden } = recurrence;
  const cell = new Cell(input, hidden);
  if (isNormalized) {
    weightNorm(cell, 'weightIh');
    weightNorm(cell, 'weightHh');
  }
  const x = wave([batch, input], 0.3);
  const start = tf.zeros([batch, hidden]);
  const loss = (): tf.Scalar => {
    let h: Tensor = start;
    for (let i = 0; i < steps; i++) h = cell.forward(x, h);
    return tf.sum(h) as tf.Scalar;
  };
  const inScope = isCached ? () => cached(loss) : loss;
  return {
    compute() {
      const { value, grads } = tf.variableGrads(inScope, cell.parameters());
      tf.dispose(grads);
      return [value];
    },
  };
}

/** Eight convolutions with ReLU, forward. */
function convStep(kind: 'plain' | 'normalized' | 'folded'): Step {
  const channels = 64;
  const layers = Array.from({ length: 8 }, () => new nn.Conv1d(channels, channels, 3, { padding: 1 }));
  layers.forEach((layer, i) => {
    const weight = wave([channels, channels, 3], 0.7 + i, 1 / Math.sqrt(3 * channels));
    layer.loadStateDict({ weight, bias: wave([channels], 0.3 + i) });
    weight.dispose();
    if (kind !== 'plain') weightNorm(layer);
  });
  const net = new nn.Sequential(...layers.flatMap((layer) => [layer, new nn.ReLU()]));
  if (kind === 'folded') fold(net);
  const x = wave([1, channels, 256], 0.3);
  return { compute: () => [net.call(x)] };
}

const READS = 1000;

/** A thousand reads of a weight. */
function readStep(kind: 'property' | 'cached'): Step {
  const layer = new nn.Linear(64, 64);
  if (kind === 'cached') weightNorm(layer);
  const read = () => {
    // Looked at, so that the reading is not left out.
    let rank = 0;
    for (let i = 0; i < READS; i++) rank += layer.weight.shape.length;
    if (rank !== 2 * READS) throw new Error(`read something of rank ${rank / READS}`);
    return [];
  };
  return { compute: kind === 'cached' ? () => cached(read) : read };
}

/** The comparisons of models. */
export const modelComparisons: readonly ModelComparison[] = [
  {
    title: `GRU, ${recurrence.steps} steps, ${recurrence.input} → ${recurrence.hidden}, batch ${recurrence.batch}, forward and backward`,
    ways: [
      ['plain weights', () => gruStep(false, false)],
      ['normalized, read in every step', () => gruStep(true, false)],
      ['normalized, in cached', () => gruStep(true, true)],
    ],
  },
  {
    title: '8 × Conv1d 64→64, kernel 3, 1 × 256, inference',
    ways: [
      ['folded', () => convStep('folded')],
      ['plain weights', () => convStep('plain')],
      ['normalized', () => convStep('normalized')],
    ],
  },
  {
    title: `${READS} reads of a weight`,
    torch: 'reads',
    ways: [
      ['plain property', () => readStep('property')],
      ['normalized, in cached', () => readStep('cached')],
    ],
  },
];

function wave(shape: number[], phase: number, scale = 1): Tensor {
  const count = tf.util.sizeFromShape(shape);
  const numbers = Float32Array.from({ length: count }, (_, i) => Math.sin(phase * (i + 1)) * scale);
  return tf.tensor(numbers, shape);
}
