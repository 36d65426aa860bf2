import * as tf from '@tensorflow/tfjs-core';
import { nn, type OrthogonalOptions, orthogonal, spectralNorm, weightNorm } from '../../src/index.ts';
import * as legacy from '../../src/legacy/index.ts';
import trajectories from '../golden/trajectories.json' with { type: 'json' };
import { type GoldenTensor, tensorOf } from '../nn/golden.ts';
import { inTidy } from '../parametrize/fixtures.ts';

/** Twenty full-batch training steps of a model in real PyTorch. */
export interface Trajectory {
  readonly model: 'mlp' | 'conv' | 'lstm';
  readonly method: string;
  readonly optimizer: 'sgd' | 'adam' | 'sgd_momentum' | 'sgd_momentum_wd';
  readonly lr: number;
  /** What torch does that is not done here. */
  readonly torch_quirk?: string | null;
  readonly init: Readonly<Record<string, GoldenTensor>>;
  readonly losses: readonly number[];
  readonly eval_loss_after: number;
  readonly grads_step1: Readonly<Record<string, GoldenTensor>>;
  readonly after: Readonly<Record<string, Readonly<Record<string, GoldenTensor>>>>;
}

/** The runs of these methods. */
export const trajectoriesOf = (...methods: string[]): Trajectory[] =>
  (trajectories.cases as unknown as Trajectory[]).filter(({ method }) => methods.includes(method));

class Mlp extends nn.Module {
  l1 = new nn.Linear(4, 8);
  l2 = new nn.Linear(8, 8);
  l3 = new nn.Linear(8, 3);
  forward(x: tf.Tensor): tf.Tensor {
    return this.l3.call(tf.tanh(this.l2.call(tf.tanh(this.l1.call(x)))));
  }
}

class Conv extends nn.Module {
  c1 = new nn.Conv2d(1, 4, 3, { padding: 1 });
  c2 = new nn.Conv2d(4, 4, 3, { stride: 2, padding: 1 });
  fc = new nn.Linear(36, 3);
  forward(x: tf.Tensor): tf.Tensor {
    const y = tf.tanh(this.c2.call(tf.tanh(this.c1.call(x)) as tf.Tensor4D));
    return this.fc.call(tf.reshape(y, [y.shape[0]!, -1]));
  }
}

/** The golden lstm: the last h into a linear layer. Its own keys have no prefix. */
class LastStep extends nn.LSTM {
  fc = new nn.Linear(5, 2);
}

/** A golden model, and its output on the golden batch. */
export interface Model {
  readonly module: nn.Module;
  logits(x: tf.Tensor): tf.Tensor;
}

const models: Record<Trajectory['model'], () => Model> = {
  mlp: () => withCall(new Mlp()),
  conv: () => withCall(new Conv()),
  lstm: () => {
    const module = new LastStep(3, 5);
    return { module, logits: (x) => module.fc.call(tf.squeeze(module.call(x)[1][0], [0])) };
  },
};

const withCall = (module: Mlp | Conv): Model => ({ module, logits: (x) => module.call(x as tf.Tensor4D) });

/** The function that normalizes one tensor. */
type Normalize = (module: nn.Module, name: string) => void;

/** A method of the golden runs in one of the two APIs, and what torch's keys are there. */
interface Method {
  readonly normalize: Normalize;
  readonly keyOf: (key: string) => string;
}

const same = (key: string): string => key;

/** The golden runs leave convolutions as they are: their kernels would be a batch of matrices. */
const orthogonalOf =
  (options: OrthogonalOptions): Normalize =>
  (module, name) => {
    if (module instanceof nn.Linear || module instanceof nn.LSTM)
      orthogonal<nn.Module, string>(module, name, options);
  };

/** Torch 1.13 has the old names of weight norm: `l1.weight_g` is `l1.parametrizations.weight.original0` in the modern API. */
export const keyOf = (key: string): string =>
  key.replace(/(^|\.)([^.]+)_([gv])$/, (_, dot: string, name: string, part: string) => {
    return `${dot}parametrizations.${name}.original${part === 'g' ? 0 : 1}`;
  });

/** The methods by name, in the modern API where there is a choice. */
export const methods: Record<string, Method> = {
  plain: { normalize: () => {}, keyOf: same },
  weight_norm: { normalize: (module, name) => void weightNorm(module, name), keyOf },
  weight_norm_dim_none: {
    normalize: (module, name) => void weightNorm(module, name, { dim: null }),
    keyOf,
  },
  spectral_norm: { normalize: (module, name) => void spectralNorm(module, name), keyOf: same },
  spectral_norm_legacy: {
    normalize: (module, name) => void legacy.spectralNorm(module, name),
    keyOf: same,
  },
  orthogonal: { normalize: orthogonalOf({}), keyOf: same },
  orthogonal_householder_no_trivialization: {
    normalize: orthogonalOf({ orthogonalMap: 'householder', useTrivialization: false }),
    keyOf: same,
  },
};

/** The hook API where it has the method of a run, with torch's very keys. */
export const legacyMethods: Record<string, Method> = {
  weight_norm: { normalize: (module, name) => void legacy.weightNorm(module, name), keyOf: same },
  weight_norm_dim_none: {
    normalize: (module, name) => void legacy.weightNorm(module, name, null),
    keyOf: same,
  },
};

/** Builds the model of a run, normalized as its method says, with its initial values. */
export function modelOf(run: Trajectory, { normalize, keyOf }: Method): Model {
  const model = models[run.model]();
  if (run.model === 'lstm') normalize(model.module, 'weight_hh_l0');
  else for (const layer of model.module.children()) normalize(layer, 'weight');
  const init = Object.entries(run.init);
  inTidy(() =>
    model.module.loadStateDict(Object.fromEntries(init.map(([key, value]) => [keyOf(key), tensorOf(value)]))),
  );
  return model;
}

/** The optimizer of a run; its weight decay is {@link step}'s. */
export function optimizerOf({ optimizer, lr }: Trajectory): tf.Optimizer {
  if (optimizer === 'adam') return tf.train.adam(lr, 0.9, 0.999, 1e-8);
  return optimizer === 'sgd' ? tf.train.sgd(lr) : tf.train.momentum(lr, 0.9);
}

/** The loss of a run: cross-entropy, the mean over the batch. */
export function crossEntropyOf(run: Trajectory): { loss(model: Model): tf.Scalar; dispose(): void } {
  const x = tensorOf(trajectories.data[run.model].x);
  const y = tensorOf(trajectories.data[run.model].y);
  return {
    loss: (model) => {
      const scores = model.logits(x);
      const target = tf.oneHot(tf.cast(y, 'int32'), scores.shape[1]!);
      return tf.neg(tf.mean(tf.sum(tf.mul(target, tf.logSoftmax(scores)), -1)));
    },
    dispose: () => tf.dispose([x, y]),
  };
}

/**
 * One step as torch does it: weight decay is added to the gradient of every parameter.
 *
 * @param look - sees the gradients by the names of the variables, before the decay
 */
export function step(
  run: Trajectory,
  model: Model,
  optimizer: tf.Optimizer,
  loss: () => tf.Scalar,
  look: (gradients: tf.NamedTensorMap) => void,
): number {
  const decay = run.optimizer.endsWith('_wd') ? 1e-3 : 0;
  const parameters = model.module.parameters();
  const { value, grads } = tf.variableGrads(loss, parameters);
  look(grads);
  tf.tidy(() => {
    optimizer.applyGradients(
      parameters.map((variable) => {
        const gradient = grads[variable.name]!;
        return {
          name: variable.name,
          tensor: decay === 0 ? gradient : tf.add(gradient, tf.mul(variable, decay)),
        };
      }),
    );
  });
  const [cost] = value.dataSync();
  tf.dispose([value, grads]);
  return cost!;
}
