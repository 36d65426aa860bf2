/**
 * A constraint of tf.layers before and after: tfjs issues 3345 (a dense layer) and 3979 (a weight of a custom layer).
 *
 * npx tsx --tsconfig test/tsconfig.json examples/tfLayers/main.ts
 */
import * as tf from '@tensorflow/tfjs';
import { constraintsToParametrizations } from 'tfjs-parametrize/layers';
import { printNorms } from './printNorms.ts';
import { Prototypes } from './prototypes.ts';

const inputs = tf.randomNormal([128, 4], 0, 1, 'float32', 1);
const targets = tf.randomNormal([128, 3], 0, 2, 'float32', 2);
const constraint = tf.constraints.unitNorm({ axis: 0 });

/** Issue 3345: the constraint of a dense kernel. */
const dense = (): tf.layers.Layer =>
  tf.layers.dense({
    units: 3,
    inputShape: [4],
    kernelInitializer: tf.initializers.glorotNormal({ seed: 3 }),
    kernelConstraint: constraint,
  });

/** Issue 3979: the constraint of a weight that a layer of one's own makes with addWeight. */
const prototypes = (): tf.layers.Layer => new Prototypes({ inputShape: [4], units: 3, constraint });

const cases = [
  ['issue 3345, Dense', dense, 'kernel'],
  ['issue 3979, a custom layer', prototypes, 'centers'],
] as const;

for (const [title, makeLayer, weight] of cases) {
  console.log(`\n${title}: norms of the columns of '${weight}' after fit`);
  for (const parametrizes of [false, true]) {
    const model = tf.sequential({ layers: [makeLayer()] });
    if (parametrizes) constraintsToParametrizations(model);
    model.compile({ optimizer: tf.train.adam(0.05), loss: 'meanSquaredError' });
    await model.fit(inputs, targets, { epochs: 10, verbose: 0, shuffle: false });
    await printNorms(
      parametrizes ? 'after:  parametrized' : 'before: tf.constraints',
      model.layers[0]!,
      weight,
    );
    model.optimizer.dispose();
    model.dispose();
  }
}
tf.dispose([inputs, targets]);
