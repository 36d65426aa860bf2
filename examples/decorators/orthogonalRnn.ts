import * as tf from '@tensorflow/tfjs-core';
import { cached, nn, orthogonal } from 'tfjs-parametrize';
import { parametrized } from 'tfjs-parametrize/decorators';

/**
 * A recurrent network whose recurrent weight stays orthogonal: what it has seen neither fades nor explodes.
 *
 * @source Arjovsky, Shah & Bengio 2016, arXiv:1511.06464; Lezcano-Casado & Martínez-Rubio 2019, arXiv:1901.08428
 */
export class OrthogonalRnn extends nn.Module {
  @parametrized(orthogonal, { name: 'weight_hh_l0', orthogonalMap: 'cayley' })
  rnn = new nn.RNN(1, 8, { nonlinearity: 'tanh', batchFirst: true });
  output = new nn.Linear(8, 1);

  override forward(x: tf.Tensor): tf.Tensor {
    const [, state] = this.rnn.call(x);
    return this.output.call(tf.squeeze(state, [0]));
  }
}

/** Trains the network to remember the first number of a sequence, and measures how orthogonal its weight still is. */
export async function trainOrthogonalRnn(steps: number): Promise<void> {
  nn.manualSeed(0);
  const model = new OrthogonalRnn();
  const x = tf.randomUniform([32, 10, 1], -0.5, 0.5, 'float32', 1);
  const y = tf.tidy(() => tf.squeeze(tf.slice(x, [0, 0, 0], [-1, 1, -1]), [1]));
  const loss = (): tf.Scalar => tf.losses.meanSquaredError(y, model.call(x));
  const adam = tf.train.adam(0.01);
  const valueOf = async (scalar: tf.Scalar): Promise<number> => {
    const [value] = await scalar.data();
    scalar.dispose();
    return value!;
  };
  console.log(`  loss at first ${(await valueOf(tf.tidy(loss))).toFixed(3)}`);
  cached(() => {
    for (let step = 0; step < steps; step++) adam.minimize(loss, false, model.parameters());
  });
  console.log(`  loss at last  ${(await valueOf(tf.tidy(loss))).toFixed(3)}`);
  const error = tf.tidy(() => {
    const W = model.rnn.weight_hh_l0 as tf.Tensor2D;
    return tf.max<tf.Scalar>(tf.abs(tf.sub(tf.matMul(W, W, true), tf.eye(8))));
  });
  console.log(`  ‖WᵀW − I‖ below 1e-5: ${(await valueOf(error)) < 1e-5}`);
  model.dispose();
  adam.dispose();
  tf.dispose([x, y]);
}
