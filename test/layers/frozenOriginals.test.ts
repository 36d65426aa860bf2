import * as tf from '@tensorflow/tfjs';
import {
  defineParametrization,
  freeze,
  nn,
  Parametrization,
  parametrizationsOn,
  removeParametrization,
  removeParametrizations,
  valueOf,
  weightNorm,
} from 'tfjs-parametrize';
import { syncModel } from 'tfjs-parametrize/layers';
import { describe, expect, it } from 'vitest';
import { disposeModel } from './layerCases.ts';

/** base + shift, with a frozen base. */
class Shifted extends Parametrization {
  readonly shift: tf.Tensor;

  constructor(shape: number[]) {
    super();
    this.shift = nn.parameter(() => tf.zeros(shape));
  }

  override forward(base: tf.Tensor): tf.Tensor {
    return tf.add(base, this.shift);
  }

  override rightInverse(value: tf.Tensor): tf.Tensor {
    return tf.sub(value, this.shift);
  }

  override isPure(): boolean {
    return true;
  }
}

const shifted = defineParametrization<Shifted>({
  name: 'shiftedInTest',
  class: Shifted,
  options: {},
  make: ({ value }) => new Shifted(value.shape),
  originals: { base: { trainable: false } },
});

const modelOf = (): tf.Sequential =>
  tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [3] }), tf.layers.dense({ units: 1 })] });

async function fitted(model: tf.LayersModel): Promise<void> {
  const [x, y] = [tf.randomNormal([8, 3], 0, 1, 'float32', 1), tf.randomNormal([8, 1], 0, 1, 'float32', 2)];
  await model.fit(x, y, { epochs: 1, verbose: 0 });
  tf.dispose([x, y]);
}

function compiled(model: tf.LayersModel): void {
  const { optimizer = tf.train.adam(0.1) } = model as { optimizer?: tf.Optimizer };
  model.compile({ optimizer, loss: 'meanSquaredError' });
}

describe('an original that a definition freezes', () => {
  it('stays frozen on a layer through compile, fit and trainable', async () => {
    const model = modelOf();
    const dense = model.layers[0]!;
    shifted(dense, 'kernel' as never);
    const { original, 0: map } = parametrizationsOn(dense, 'kernel');
    const before = original!.arraySync();
    dense.trainable = true;
    compiled(model);
    expect([original!.trainable, ((map as Shifted).shift as tf.Variable).trainable]).toEqual([false, true]);
    await fitted(model);
    expect(original!.arraySync()).toEqual(before);
    expect(tf.tidy(() => tf.max(tf.abs((map as Shifted).shift)).dataSync()[0])).toBeGreaterThan(0);
    disposeModel(model);
  });

  it('can be chosen by freeze before compile, on any map', async () => {
    const model = modelOf();
    const dense = weightNorm(model.layers[0]! as never, 'kernel') as tf.layers.Layer;
    const { g, v } = parametrizationsOn(dense, 'kernel') as unknown as { g: tf.Variable; v: tf.Variable };
    freeze(model, { match: dense.name, original: 'g' });
    compiled(model);
    const before = [g.arraySync(), v.arraySync()];
    await fitted(model);
    expect(g.arraySync()).toEqual(before[0]);
    expect(v.arraySync()).not.toEqual(before[1]);
    disposeModel(model);
  });

  it('is left out if the model was compiled before', async () => {
    const model = modelOf();
    const dense = model.layers[0]!;
    compiled(model);
    shifted(dense, 'kernel' as never);
    syncModel(model);
    const { original } = parametrizationsOn(dense, 'kernel');
    const before = original!.arraySync();
    await fitted(model);
    expect(original!.arraySync()).toEqual(before);
    removeParametrizations(dense, 'kernel');
    syncModel(model);
    await fitted(model);
    expect(original!.arraySync()).not.toEqual(before);
    disposeModel(model);
  });

  it('trains again after the removal, also if the model is compiled then', async () => {
    const model = modelOf();
    const dense = model.layers[0]!;
    const variable = valueOf(dense, 'kernel') as tf.Variable;
    shifted(dense, 'kernel' as never);
    removeParametrizations(dense, 'kernel');
    compiled(model);
    const before = variable.arraySync();
    await fitted(model);
    expect(variable.trainable).toBe(true);
    expect(variable.arraySync()).not.toEqual(before);
    disposeModel(model);
  });

  it('trains again if only the step that freezes it goes', () => {
    const model = modelOf();
    const dense = model.layers[0]!;
    shifted(dense, 'kernel' as never);
    shifted(dense, 'kernel' as never);
    const { original } = parametrizationsOn(dense, 'kernel');
    removeParametrization(dense, 'kernel', 0);
    compiled(model);
    expect(original!.trainable).toBe(false);
    removeParametrization(dense, 'kernel', 0);
    compiled(model);
    expect((valueOf(dense, 'kernel') as tf.Variable).trainable).toBe(true);
    disposeModel(model);
  });

  it('stays frozen after the removal if the weight was frozen before', () => {
    const model = modelOf();
    const dense = model.layers[0]!;
    freeze(model, { match: dense.name, name: 'kernel' });
    shifted(dense, 'kernel' as never);
    removeParametrizations(dense, 'kernel');
    compiled(model);
    expect((valueOf(dense, 'kernel') as tf.Variable).trainable).toBe(false);
    disposeModel(model);
  });

  it('has no mark left if a registration fails', () => {
    const model = modelOf();
    const dense = model.layers[0]!;
    class Failing extends Shifted {
      override forward(base: tf.Tensor): tf.Tensor {
        throw new Error(`no value of shape ${base.shape}`);
      }
    }
    const failing = defineParametrization<Shifted>({
      name: 'failingInTest',
      class: Failing,
      options: {},
      make: ({ value }) => new Failing(value.shape),
      originals: { base: { trainable: false } },
    });
    expect(() => failing(dense, 'kernel' as never)).toThrow('no value');
    compiled(model);
    expect((valueOf(dense, 'kernel') as tf.Variable).trainable).toBe(true);
    disposeModel(model);
  });
});
