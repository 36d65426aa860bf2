import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { type FakeQuantize, fakeQuantize, nn } from '../../../src/index.ts';
import golden from '../../golden/finetune.json' with { type: 'json' };
import { type GoldenTensor, tensorOf } from '../../nn/golden.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { disposeOptimizer } from '../../parametrize/laws/specimens.ts';

type Parts = Readonly<Record<string, GoldenTensor>>;

interface Run {
  readonly name: string;
  readonly optimizer: 'sgd' | 'adam' | 'momentum';
  readonly lr: number;
  readonly epsilon?: number;
  readonly losses: readonly number[];
  readonly after_1: Parts;
  readonly after_12: Parts;
  readonly weights_after_12: readonly GoldenTensor[];
}

const trajectories = golden.trajectories as unknown as Readonly<
  Record<'x' | 'targets' | 'W1' | 'W2' | 'b1' | 'b2', GoldenTensor>
> & { readonly runs: readonly Run[]; readonly channel_scales: readonly GoldenTensor[] };

const { runs, x, targets, W1, W2, b1, b2, channel_scales: scales } = trajectories;

const optimizers: Readonly<Record<Run['optimizer'], (run: Run) => tf.Optimizer>> = {
  sgd: ({ lr }) => tf.train.sgd(lr),
  adam: ({ lr, epsilon }) => tf.train.adam(lr, 0.9, 0.999, epsilon),
  momentum: ({ lr }) => tf.train.momentum(lr, 0.9),
};

describe.each(
  runs
    .filter(({ name }) => name.startsWith('fake quantized') || name.startsWith('lsq'))
    .map((run) => [`${run.name} by ${run.optimizer}`, run] as const),
)('12 steps of %s', (_, run) => {
  it('have the losses, parameters, scales and weights of torch', () => {
    const isLearned = run.name.startsWith('lsq');
    const layers = [new nn.Linear(6, 8), new nn.Linear(8, 3)] as const;
    const optimizer = optimizers[run.optimizer](run);
    inTidy(() => {
      const starts = [
        [W1, b1],
        [W2, b2],
      ] as const;
      const parts: Record<string, tf.Variable> = {};
      for (const [i, layer] of layers.entries()) {
        const [W, b] = starts[i]!;
        (layer.weight as tf.Variable).assign(tensorOf(W));
        (layer.bias as tf.Variable).assign(tensorOf(b));
        fakeQuantize(layer, { bits: 4, range: [-8, 7], learned: isLearned, dim: isLearned ? null : 0 });
        const list = layer.parametrizations!.weight!;
        const map = list[0] as FakeQuantize;
        if (isLearned) parts[`s${i + 1}`] = map.scale as tf.Variable;
        else (map.scale as tf.Variable).assign(tensorOf(scales[i]!));
        parts[`W${i + 1}`] = list.original!;
        parts[`b${i + 1}`] = layer.bias as tf.Variable;
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
  });
});
