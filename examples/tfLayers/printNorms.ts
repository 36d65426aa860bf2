import * as tf from '@tensorflow/tfjs';
import { valueOf } from 'tfjs-parametrize';

/** Prints what the layer computes with, and what is trained. */
export async function printNorms(label: string, layer: tf.layers.Layer, weight: string): Promise<void> {
  console.log(`  ${label}`);
  console.log(`    valueOf(layer, '${weight}'):`, await normsOf(valueOf(layer, weight)));
  console.log(`    layer.getWeights()[0]:`, await normsOf(layer.getWeights()[0]!));
}

async function normsOf(weight: tf.Tensor): Promise<string> {
  const norms = tf.tidy(() => tf.sqrt(tf.sum(tf.square(weight), 0)));
  const values = [...(await norms.data())].map((norm) => norm.toFixed(5));
  norms.dispose();
  return values.join(' ');
}
