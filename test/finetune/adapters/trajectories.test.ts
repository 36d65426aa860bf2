import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { dora, lora, nn, type Parametrization } from '../../../src/index.ts';
import golden from '../../golden/finetune.json' with { type: 'json' };
import { type GoldenTensor, tensorOf } from '../../nn/golden.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { disposeOptimizer } from '../../parametrize/laws/specimens.ts';

interface Run {
  readonly name: string;
  readonly optimizer: string;
  readonly lr: number;
  readonly epsilon?: number;
  readonly losses: readonly number[];
  readonly after_1: Readonly<Record<string, GoldenTensor>>;
  readonly after_12: Readonly<Record<string, GoldenTensor>>;
  readonly weights_after_12: readonly GoldenTensor[];
}

const {
  runs,
  x,
  targets,
  W1,
  W2,
  b1,
  b2,
  lora: adapter,
} = golden.trajectories as unknown as {
  readonly runs: readonly Run[];
  readonly x: GoldenTensor;
  readonly targets: GoldenTensor;
  readonly W1: GoldenTensor;
  readonly W2: GoldenTensor;
  readonly b1: GoldenTensor;
  readonly b2: GoldenTensor;
  readonly lora: { readonly A1: GoldenTensor; readonly A2: GoldenTensor; readonly scaling: number };
};

const optimizerOf = ({ optimizer, lr, epsilon }: Run): tf.Optimizer =>
  optimizer === 'sgd'
    ? tf.train.sgd(lr)
    : optimizer === 'adam'
      ? tf.train.adam(lr, 0.9, 0.999, epsilon)
      : tf.train.momentum(lr, 0.9);

const maps = { lora, dora } as const;

describe.each(
  runs.filter(({ name }) => name in maps).map((run) => [`${run.name} by ${run.optimizer}`, run] as const),
)('12 steps of %s', (_, run) => {
  it('have the losses and parameters of torch', () => {
    const layers = [new nn.Linear(6, 8), new nn.Linear(8, 3)] as const;
    const optimizer = optimizerOf(run);
    inTidy(() => {
      const starts = [
        [W1, b1, adapter.A1],
        [W2, b2, adapter.A2],
      ] as const;
      const parts: Record<string, tf.Variable> = {};
      for (const [i, layer] of layers.entries()) {
        const [W, b, A] = starts[i]!;
        (layer.weight as tf.Variable).assign(tensorOf(W));
        (layer.bias as tf.Variable).assign(tensorOf(b));
        maps[run.name as 'lora'](layer, { rank: 2, alpha: 2 * adapter.scaling });
        const map = layer.parametrizations!.weight![0] as Parametrization;
        for (const [key, variable] of map.namedParameters()) {
          const letter = { lora_A: 'A', lora_B: 'B', lora_magnitude_vector: 'm' }[key.split('.')[0]!]!;
          parts[`${letter}${i + 1}`] = variable;
        }
        parts[`A${i + 1}`]!.assign(tensorOf(A));
      }
      const labels = tf.oneHot(tensorOf(targets) as tf.Tensor1D, 3);
      const input = tensorOf(x);
      const loss = (): tf.Scalar =>
        tf.losses.softmaxCrossEntropy(labels, layers[1].call(tf.tanh(layers[0].call(input)))) as tf.Scalar;
      const near = (after: Readonly<Record<string, GoldenTensor>>): void => {
        const names = Object.keys(after);
        expect(names.length).toBeGreaterThanOrEqual(4);
        for (const name of names) {
          expect(parts[name]!, name).toBeAllClose(tensorOf(after[name]!), { relative: 1e-4, absolute: 3e-5 });
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
  });
});
