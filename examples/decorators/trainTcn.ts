import * as tf from '@tensorflow/tfjs-core';
import { cached, describe, fold, nn } from 'tfjs-parametrize';
import { Tcn } from './tcnBlock.ts';

const length = 12;
const delay = 5;

/** Trains a TCN to repeat a signal five steps late, and says what it has learned and folded. */
export async function trainTcn(steps: number): Promise<void> {
  nn.manualSeed(0);
  const model = new Tcn(12, 3);
  const x = tf.randomUniform([32, 1, length], -1, 1, 'float32', 1);
  const y = tf.tidy(() =>
    tf.concat([tf.zeros([32, 1, delay]), tf.slice(x, [0, 0, 0], [-1, -1, length - delay])], 2),
  );
  const adam = tf.train.adam(0.02);
  const loss = (): tf.Scalar => tf.losses.meanSquaredError(y, model.call(x));
  const valueOf = async (scalar: tf.Scalar): Promise<string> => {
    const [value] = await scalar.data();
    scalar.dispose();
    return value!.toFixed(3);
  };
  console.log(`  loss at first ${await valueOf(tf.tidy(loss))}`);
  cached(() => {
    for (let step = 0; step < steps; step++) adam.minimize(loss, false, model.parameters());
  });
  console.log(`  loss at last  ${await valueOf(tf.tidy(loss))}`);
  for (const { path, tensor, chain } of describe(model).rows) console.log(`  ${path}.${tensor}: ${chain}`);
  console.log(`  folded ${fold(model).length} weights, loss ${await valueOf(tf.tidy(loss))}`);
  model.dispose();
  adam.dispose();
  tf.dispose([x, y]);
}
