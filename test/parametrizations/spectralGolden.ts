import * as tf from '@tensorflow/tfjs-core';
import * as nn from '../../src/nn/index.ts';
import golden from '../golden/spectral_norm.json' with { type: 'json' };
import { type GoldenTensor, tensorOf } from '../nn/golden.ts';

/** One forward and backward pass with spectral norm in torch. */
export interface SpectralStep {
  readonly mode: 'train' | 'eval';
  readonly output: GoldenTensor;
  readonly weight: GoldenTensor;
  readonly sigma: number;
  readonly u: GoldenTensor;
  readonly v: GoldenTensor;
  readonly grad_output: GoldenTensor;
  readonly d_original: GoldenTensor;
}

/** A layer with spectral norm in torch, over six passes whose state goes on. */
export interface SpectralCase {
  readonly impl: 'parametrizations' | 'legacy';
  readonly module: string;
  readonly dim: number;
  readonly default_dim: number;
  readonly n_power_iterations: number;
  readonly keys: readonly string[];
  readonly original: GoldenTensor;
  readonly u0: GoldenTensor;
  readonly v0: GoldenTensor;
  readonly input: GoldenTensor;
  readonly bias: GoldenTensor | null;
  readonly steps: readonly SpectralStep[];
  readonly true_sigma_svd: number;
  readonly removed_weight: GoldenTensor;
}

/** The cases of one of the two APIs. */
export const spectralCases = (impl: SpectralCase['impl']): SpectralCase[] =>
  (golden.cases as unknown as SpectralCase[]).filter((run) => run.impl === impl);

const layers: Record<string, () => nn.Module & { weight: tf.Tensor }> = {
  Linear: () => new nn.Linear(5, 4),
  Linear_tall: () => new nn.Linear(2, 7),
  Conv1d: () => new nn.Conv1d(3, 4, 3),
  Conv2d: () => new nn.Conv2d(2, 3, 3),
  ConvTranspose2d: () => new nn.ConvTranspose2d(3, 2, 3),
  Embedding: () => new nn.Embedding(6, 4),
};

/** The layer of a case, not normalized yet. */
export const layerOf = ({ module }: SpectralCase): nn.Module & { weight: tf.Tensor } => layers[module]!();

/** What one pass of ours gives, as plain numbers. */
export interface Pass {
  readonly output: number[];
  readonly weight: number[];
  readonly gradient: number[];
}

/** Runs one pass; the weight is what the forward has read, so that reading it moves no iteration. */
export function passOf(
  layer: nn.Module & { weight: tf.Tensor },
  original: tf.Variable,
  { input }: SpectralCase,
  step: SpectralStep,
): Pass {
  layer.train(step.mode === 'train');
  return tf.tidy(() => {
    const [x, dy] = [tensorOf(input), tensorOf(step.grad_output)];
    let output: number[] = [];
    let weight: number[] = [];
    const { grads } = tf.variableGrads(() => {
      const y = layer.call(x) as tf.Tensor;
      output = [...y.dataSync()];
      return tf.sum(tf.mul(y, dy)) as tf.Scalar;
    }, [original]);
    // Eval mode makes no step of the iteration, and gives what the pass in training mode has computed.
    layer.eval();
    weight = [...layer.weight.dataSync()];
    return { output, weight, gradient: [...grads[original.name]!.dataSync()] };
  });
}
