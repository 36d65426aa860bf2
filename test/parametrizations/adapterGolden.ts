import * as tf from '@tensorflow/tfjs';
import { nn, type Parametrization, parametrizationsOn } from '../../src/index.ts';
import golden from '../golden/finetune.json' with { type: 'json' };
import { type GoldenTensor, tensorOf } from '../nn/golden.ts';

/** An adapter on one layer; test/golden/README.md describes it. */
export interface AdapterCase {
  readonly kind: string;
  readonly r: number;
  readonly alpha: number;
  readonly use_rslora?: boolean;
  readonly weight: GoldenTensor;
  readonly bias: GoldenTensor;
  readonly lora_A: GoldenTensor;
  readonly lora_B: GoldenTensor;
  readonly value: GoldenTensor;
  readonly input: GoldenTensor;
  readonly output: GoldenTensor;
  readonly dy: GoldenTensor;
}

export const loraCases = golden.lora.cases as unknown as (AdapterCase & {
  readonly d_weight: GoldenTensor;
  readonly d_lora_A: GoldenTensor;
  readonly d_lora_B: GoldenTensor;
})[];

interface DoraGradients {
  readonly d_weight: GoldenTensor;
  readonly d_lora_A: GoldenTensor;
  readonly d_lora_B: GoldenTensor;
  readonly d_magnitude: GoldenTensor;
}

export const doraCases = golden.dora as unknown as (AdapterCase & {
  readonly initial_magnitude: GoldenTensor;
  readonly magnitude: GoldenTensor;
  readonly detached: DoraGradients;
  readonly not_detached: DoraGradients;
})[];

/** A layer with the weights of a case; without a bias where torch has none. */
interface Hosted {
  readonly host: { weight: tf.Tensor };
  output(): tf.Tensor;
}

/** Makes the layer of a case. A kernel of a recurrent layer is that of a plain object. */
export function hostOf({ kind, weight, bias, input }: AdapterCase): Hosted {
  const [out, inner, ...kernel] = weight.shape as [number, number, ...number[]];
  const layers: Record<string, () => nn.Module & { weight: tf.Tensor; bias?: tf.Tensor | null }> = {
    Linear: () => new nn.Linear(inner, out),
    Conv1d: () => new nn.Conv1d(inner, out, kernel[0]!),
    Conv2d: () => new nn.Conv2d(inner, out, kernel as [number, number], { padding: 1, dilation: 2 }),
    Conv2d_1x1: () => new nn.Conv2d(inner, out, 1, { padding: 1 }),
    Embedding: () => new nn.Embedding(out, inner),
  };
  const make = layers[kind];
  const x = tensorOf(input);
  if (make === undefined) {
    const host = { weight: tf.variable(tensorOf(weight)) as tf.Tensor };
    return {
      host,
      output: () =>
        tf.add(tf.matMul(x as tf.Tensor2D, host.weight as tf.Tensor2D, false, true), tensorOf(bias)),
    };
  }
  const host = make();
  (host.weight as tf.Variable).assign(tensorOf(weight));
  if (host.bias) (host.bias as tf.Variable).assign(tensorOf(bias));
  return { host, output: () => host.call(x) as tf.Tensor };
}

/** Frees the layer of a case. */
export function disposeHosted({ host }: Hosted): void {
  if (host instanceof nn.Module) host.dispose();
  else (host as unknown as { parametrizations: { dispose(): void } }).parametrizations.dispose();
}

/** The parameters of the only adapter of a weight, by the names of their dictionaries. */
export function parametersOf(host: object): Record<string, tf.Variable> {
  const map = parametrizationsOn(host, 'weight')[0] as Parametrization;
  return Object.fromEntries(
    map.namedParameters().map(([key, variable]) => [key.slice(0, key.indexOf('.')), variable]),
  );
}
