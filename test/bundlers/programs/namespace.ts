import * as tf from '@tensorflow/tfjs';
import * as P from 'tfjs-parametrize';
import { show, showState } from './show.ts';

// By member access through the namespace of the root, and through the namespace of modules in it.

P.nn.manualSeed(1);
const plain = new P.nn.Linear(2, 1, { bias: false });
plain.loadStateDict({ weight_g: tf.tensor2d([[10]]), weight_v: tf.tensor2d([[3, 4]]) });
show('weight_g and weight_v in a plain module', plain.weight);
plain.loadStateDict({
  weight_orig: tf.tensor2d([[3, 4]]),
  weight_u: tf.tensor1d([1]),
  weight_v: tf.tensor1d([0.6, 0.8]),
});
show('weight_orig in a plain module', plain.weight);

const model = new P.nn.Sequential(
  P.weightNorm(new P.nn.Conv1d(1, 2, 3)),
  new P.nn.Flatten(),
  P.spectralNorm(new P.nn.Linear(4, 2)),
);
model.eval();
for (const keyFormat of ['modern', 'legacy', 'folded'] as const) {
  showState(keyFormat, model.stateDict({ keyFormat }));
}
try {
  model.stateDict({ keyFormat: 'modem' as never });
} catch (error) {
  console.log((error as Error).message);
}

const copy = P.clone(model);
copy.loadStateDict(model.stateDict({ keyFormat: 'legacy' }));
const x = tf.ones([1, 1, 4]);
show('output', model.call(x));
show('output of a copy', copy.call(x));
for (const row of P.describe(copy).rows) console.log(row.path, row.tensor, String(row.chain.length));
show('sum of a gradient', tf.sum(tf.grad((input) => tf.sum(model.call(input)))(x)));
P.fold(copy);
show('output when folded', copy.call(x));
showState('folded', copy.stateDict());
