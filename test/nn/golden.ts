import * as tf from '@tensorflow/tfjs-core';
import trajectories from '../golden/trajectories.json' with { type: 'json' };
import weightNorm from '../golden/weight_norm.json' with { type: 'json' };
import { parseNumber } from '../toBeAllClose.ts';

/** A tensor of the golden files, which real PyTorch made. */
export interface GoldenTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}

/** The tensor that a golden one describes; int64 becomes int32. */
export function tensorOf({ dtype, shape, data }: GoldenTensor): tf.Tensor {
  return tf.tensor(data.map(parseNumber), [...shape], dtype.startsWith('int') ? 'int32' : 'float32');
}

/** One forward and backward pass of a layer. */
export interface LayerCase {
  readonly module: string;
  readonly param: string;
  readonly dim: number | null;
  readonly weight: GoldenTensor;
  readonly input: GoldenTensor;
  readonly output: GoldenTensor;
  readonly grad_output: GoldenTensor;
  readonly dx: GoldenTensor | null;
  readonly other_params: Readonly<Record<string, GoldenTensor>>;
  readonly other_grads: Readonly<Record<string, GoldenTensor>>;
}

export const layerCases = (module: string): LayerCase[] =>
  (weightNorm.cases as unknown as LayerCase[]).filter((layer) => layer.module === module);

/** Twenty training steps of a model. */
export interface Trajectory {
  readonly model: string;
  readonly method: string;
  readonly optimizer: string;
  readonly lr: number;
  readonly init: Readonly<Record<string, GoldenTensor>>;
  readonly losses: readonly number[];
  readonly after: Readonly<Record<'1' | '2' | '20', Readonly<Record<string, GoldenTensor>>>>;
}

export const trajectoriesOf = (model: string): Trajectory[] =>
  (trajectories.cases as unknown as Trajectory[]).filter(
    (run) => run.model === model && run.method === 'plain',
  );

/** The batch that the trajectories of a model train on. */
export const trajectoryData = (model: 'mlp' | 'lstm'): { x: GoldenTensor; y: GoldenTensor } =>
  trajectories.data[model];
