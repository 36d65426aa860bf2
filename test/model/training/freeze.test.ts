import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { freeze, minimize, nn, orthogonal, squaredNorms, weightNorm } from '../../../src/index.ts';
import '../../../src/layers/index.ts';
import { failure } from '../../parametrize/unchanged.ts';
import { flatten } from '../../toBeAllClose.ts';

const make = (): nn.Sequential => new nn.Sequential(weightNorm(new nn.Linear(2, 3)), new nn.Linear(3, 2));
const trained = (model: nn.Module): string[] =>
  model.namedParameters().flatMap(([key, { trainable }]) => (trainable ? [key] : []));

describe('freeze', () => {
  it('freezes what the selector takes, and gives back what was trained before', () => {
    const model = make();
    const all = trained(model);
    const bias = freeze(model, { name: 'bias' });
    expect(bias.keys).toEqual(['0.bias', '1.bias']);
    const g = freeze(model, { match: '0', original: 'g' });
    expect(g.keys).toEqual(['0.parametrizations.weight.original0']);
    const rest = freeze(model);
    expect(rest.keys).toEqual(['0.parametrizations.weight.original1', '1.weight']);
    expect(trained(model)).toEqual([]);
    rest.unfreeze();
    rest.unfreeze();
    expect(trained(model)).toEqual([...rest.keys]);
    g.unfreeze();
    bias.unfreeze();
    expect(trained(model)).toEqual(all);
    model.dispose();
    bias.unfreeze();
  });

  it('keeps optimizers away until unfreeze', () => {
    const model = make();
    const adam = tf.train.adam(0.1);
    const loss = (): tf.Scalar => tf.sum(tf.square(model.call(tf.ones([1, 2])))) as tf.Scalar;
    minimize(adam, loss, model);
    const frozen = freeze(model, { match: '0' });
    const values = (): number[][] =>
      model
        .children()[0]!
        .parameters()
        .map((variable) => flatten(variable));
    const before = values();
    minimize(adam, loss, model);
    expect(values()).toEqual(before);
    frozen.unfreeze();
    minimize(adam, loss, model);
    expect(values()).not.toEqual(before);
    adam.dispose();
    model.dispose();
  });

  it('freezes weights and originals of tf.layers', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ units: 2, inputShape: [2], name: 'a' }),
        tf.layers.dense({ units: 1, name: 'b' }),
      ],
    });
    weightNorm(model.layers[0]! as never, 'kernel');
    const count = model.trainableWeights.length;
    const frozen = freeze(model, { match: 'a' });
    expect(frozen.keys).toHaveLength(3);
    expect(model.trainableWeights).toHaveLength(count - 3);
    // It lets all weights train again.
    model.layers[0]!.trainable = true;
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const before = model.layers[0]!.getWeights().map((weight) => flatten(weight));
    const [x, y] = [tf.ones([2, 2]), tf.ones([2, 1])];
    await model.fit(x, y, { verbose: 0 });
    expect(model.layers[0]!.getWeights().map((weight) => flatten(weight))).toEqual(before);
    frozen.unfreeze();
    expect(model.trainableWeights).toHaveLength(count);
    model.dispose();
    model.optimizer.dispose();
    tf.dispose([x, y]);
  });

  it('says which condition matches nothing', () => {
    const model = make();
    expect(failure(() => freeze(model, { match: '2' }))).toMatch(
      /^UNMATCHED_RULE: freeze: '2' matches nothing/,
    );
    expect(failure(() => freeze(model, { original: 'h' }))).toMatch(/original 'h'.*original0, original1/);
    expect(failure(() => freeze(model, { original: 3 as never }))).toMatch(/^OPTION/);
    expect(failure(() => freeze(model, { matches: '2' } as never))).toMatch(/^OPTION/);
    expect(trained(model)).toHaveLength(5);
    model.dispose();
  });
});

describe('squaredNorms', () => {
  it('is the sum of squares of the main weights, which on weight norm is that of g', () => {
    const model = make();
    tf.tidy(() => {
      const { g } = (model.children()[0] as nn.Linear).parametrizations!.weight as unknown as {
        g: tf.Tensor;
      };
      const plain = (model.children()[1] as nn.Linear).weight;
      const wanted = [...flatten(g), ...flatten(plain)].reduce((sum, x) => sum + x * x, 0);
      expect(squaredNorms(model)).toBeAllClose(wanted);
      const { grads } = tf.variableGrads(() => squaredNorms(model, { match: '0' }), model.parameters());
      expect(grads[(g as tf.Variable).name]).toBeAllClose(tf.mul(2, g));
      const v = model.stateDict()['0.parametrizations.weight.original1'] as tf.Variable;
      expect(grads[v.name]).toBeAllClose(tf.zerosLike(v), { absolute: 1e-6 });
    });
    model.dispose();
  });

  it('takes other tensors by name, and every map', () => {
    const layer = orthogonal(new nn.Linear(3, 3));
    tf.tidy(() => {
      expect(squaredNorms(layer)).toBeAllClose(3);
      const bias = flatten(layer.bias!).reduce((sum, x) => sum + x * x, 0);
      expect(squaredNorms(layer, { name: '*' })).toBeAllClose(3 + bias);
    });
    expect(failure(() => squaredNorms(layer, { match: 'x' }))).toMatch(/^UNMATCHED_RULE/);
    expect(failure(() => squaredNorms(layer, { original: 'g' } as never))).toMatch(/^OPTION/);
    layer.dispose();
  });
});
