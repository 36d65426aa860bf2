import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { mergeAdapters } from '../../src/finetune/index.ts';
import { dora, dropConnect, fakeQuantize, fold, lora, nn, prune } from '../../src/index.ts';
import type { Step } from '../measure/tfjsContestant.ts';

/** The sizes of a layer, and its batches. */
export interface Size {
  readonly features: number;
  readonly batch: number;
}

/** The sizes by name. */
export const sizes = {
  small: { features: 128, batch: 32 },
  medium: { features: 512, batch: 32 },
  large: { features: 1024, batch: 64 },
} as const satisfies Readonly<Record<string, Size>>;

/** One way of using a model. */
export interface Way {
  readonly name: string;
  make(): Promise<Step>;
  /** True if the results are those of the first way. */
  readonly isSame: boolean;
}

const RANK = 8;

/** The registrations of a layer by the names of their rows. */
const maps: Readonly<Record<string, (layer: nn.Linear) => unknown>> = {
  [`lora, rank ${RANK}`]: (layer) => lora(layer, { rank: RANK }),
  [`dora, rank ${RANK}`]: (layer) => dora(layer, { rank: RANK }),
  'prune, half': (layer) => prune(layer, { fraction: 0.5 }),
  'dropConnect, half': (layer) => dropConnect(layer, { p: 0.5 }),
  'fakeQuantize, 8 bits': (layer) => fakeQuantize(layer),
  'fakeQuantize, a learned scale for each output': (layer) => fakeQuantize(layer, { dim: 0, learned: true }),
};

/** Two layers with the same numbers at each call. */
function network({ features }: Size): nn.Sequential {
  nn.manualSeed(1);
  return new nn.Sequential(
    new nn.Linear(features, features),
    new nn.Tanh(),
    new nn.Linear(features, features),
  );
}

const linears = (model: nn.Sequential): nn.Linear[] => [model[0] as nn.Linear, model[2] as nn.Linear];

/** The same numbers at each call. */
const inputs = ({ features, batch }: Size): tf.Tensor2D =>
  tf.randomNormal([batch, features], 0, 1, 'float32', 1) as tf.Tensor2D;

/** A training step: the gradients of everything that trains, and one step of Adam. */
function trainingStep(size: Size, register: (layer: nn.Linear) => unknown): Step {
  const model = network(size);
  for (const layer of linears(model)) register(layer);
  const [x, optimizer] = [inputs(size), tf.train.adam(1e-6)];
  const variables = model.parameters().filter(({ trainable }) => trainable);
  return {
    compute(): Tensor[] {
      const loss = (): tf.Scalar => tf.mean(tf.square(model.call(x) as Tensor)) as tf.Scalar;
      return [optimizer.minimize(loss, true, variables) as Tensor];
    },
  };
}

/** The ways of a training step, of which the first has plain layers. Other maps train other numbers. */
export const trainingWays = (size: Size): Way[] =>
  Object.entries({ 'plain layers': () => {}, ...maps }).map(([name, register]) => ({
    name,
    isSame: false,
    make: () => Promise.resolve(trainingStep(size, register)),
  }));

/** An inference step of a model. */
function inferenceStep(model: nn.Sequential, size: Size): Step {
  const x = inputs(size);
  model.eval();
  return { compute: () => [model.call(x) as Tensor] };
}

/** Gives the changes of adapters numbers other than zero. */
function train(model: nn.Sequential): void {
  tf.tidy(() => {
    for (const [key, variable] of model.namedParameters()) {
      if (key.includes('.lora_B.')) variable.assign(tf.randomNormal(variable.shape, 0, 0.01, 'float32', 2));
    }
  });
}

const adapted = (size: Size): nn.Sequential => {
  const model = network(size);
  for (const layer of linears(model)) lora(layer, { rank: RANK });
  train(model);
  return model;
};

/** The ways of inference. The model of the first has plain layers with the values of the others. */
export const inferenceWays = (size: Size): Way[] => {
  const ways: Readonly<Record<string, () => Promise<nn.Sequential>>> = {
    'plain layers': () => {
      const source = adapted(size);
      const model = network(size);
      for (const [i, layer] of linears(model).entries()) {
        tf.tidy(() => (layer.weight as tf.Variable).assign(linears(source)[i]!.weight));
      }
      return Promise.resolve(model);
    },
    'lora, active': () => Promise.resolve(adapted(size)),
    'lora, merged': async () => {
      const model = adapted(size);
      (await mergeAdapters(model)).dispose();
      return model;
    },
    'lora, folded': () => {
      const model = adapted(size);
      fold(model);
      return Promise.resolve(model);
    },
  };
  return Object.entries(ways).map(([name, make]) => ({
    name,
    isSame: true,
    make: async () => inferenceStep(await make(), size),
  }));
};
