import * as tf from '@tensorflow/tfjs';
import { expect } from 'vitest';
import { nn } from '../../src/index.ts';
import golden from '../golden/finetune.json' with { type: 'json' };
import { type GoldenTensor, tensorOf } from '../nn/golden.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { disposeOptimizer } from '../parametrize/laws/specimens.ts';

type Parts = Readonly<Record<string, GoldenTensor>>;

/** Twelve steps of two linear layers with a map on both weights, as torch has made them. */
export interface Trajectory {
  readonly name: string;
  readonly optimizer: 'sgd' | 'adam' | 'momentum';
  readonly lr: number;
  readonly epsilon?: number;
  readonly losses: readonly number[];
  readonly after_1: Parts;
  readonly after_12: Parts;
  readonly weights_after_12: readonly GoldenTensor[];
}

const { runs, x, targets, W1, W2, b1, b2, lora, channel_scales } = golden.trajectories as unknown as Readonly<
  Record<'x' | 'targets' | 'W1' | 'W2' | 'b1' | 'b2', GoldenTensor>
> & {
  readonly runs: readonly Trajectory[];
  readonly lora: { readonly A1: GoldenTensor; readonly A2: GoldenTensor; readonly scaling: number };
  readonly channel_scales: readonly GoldenTensor[];
};

/** The numbers that some maps begin with. */
export const starts = { lora, channelScales: channel_scales };

/** Returns the trajectories whose names fulfil a condition, with titles. */
export const trajectoriesOf = (isWanted: (name: string) => boolean): [title: string, run: Trajectory][] =>
  runs.filter(({ name }) => isWanted(name)).map((run) => [`${run.name} by ${run.optimizer}`, run]);

const optimizers: Readonly<Record<Trajectory['optimizer'], (run: Trajectory) => tf.Optimizer>> = {
  sgd: ({ lr }) => tf.train.sgd(lr),
  adam: ({ lr, epsilon }) => tf.train.adam(lr, 0.9, 0.999, epsilon),
  momentum: ({ lr }) => tf.train.momentum(lr, 0.9),
};

/**
 * Expects the losses, the trained variables and the weights of a trajectory.
 *
 * @param register - registers the map on the weight of a layer, and returns the trained variables by torch's names
 *   without the number of the layer
 */
export function expectTrajectory(
  run: Trajectory,
  register: (layer: nn.Linear, i: number) => Readonly<Record<string, tf.Variable>>,
): void {
  const layers = [new nn.Linear(6, 8), new nn.Linear(8, 3)] as const;
  const optimizer = optimizers[run.optimizer](run);
  inTidy(() => {
    const parts: Record<string, tf.Variable> = {};
    for (const [i, layer] of layers.entries()) {
      (layer.weight as tf.Variable).assign(tensorOf([W1, W2][i]!));
      (layer.bias as tf.Variable).assign(tensorOf([b1, b2][i]!));
      for (const [letter, variable] of Object.entries(register(layer, i))) {
        parts[`${letter}${i + 1}`] = variable;
      }
    }
    const labels = tf.oneHot(tensorOf(targets) as tf.Tensor1D, 3);
    const input = tensorOf(x);
    const loss = (): tf.Scalar =>
      tf.losses.softmaxCrossEntropy(labels, layers[1].call(tf.tanh(layers[0].call(input)))) as tf.Scalar;
    const near = (after: Parts): void => {
      expect(Object.keys(after).sort()).toEqual(Object.keys(parts).sort());
      for (const [name, wanted] of Object.entries(after)) {
        const expected = tf.reshape(tensorOf(wanted), parts[name]!.shape);
        expect(parts[name]!, name).toBeAllClose(expected, { relative: 1e-4, absolute: 3e-5 });
      }
    };
    for (const [step, wanted] of run.losses.entries()) {
      const cost = optimizer.minimize(loss, true, Object.values(parts))!;
      expect(cost.dataSync()[0], `loss ${step}`).toBeCloseTo(wanted, 4);
      if (step === 0) near(run.after_1);
    }
    near(run.after_12);
    for (const [i, layer] of layers.entries()) {
      const wanted = tensorOf(run.weights_after_12[i]!);
      expect(layer.weight).toBeAllClose(wanted, { relative: 1e-4, absolute: 3e-5 });
    }
  });
  disposeOptimizer(optimizer);
  for (const layer of layers) layer.dispose();
}
