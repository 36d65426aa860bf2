import * as tf from '@tensorflow/tfjs-core';
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
