import * as tf from '@tensorflow/tfjs-core';
import { nn, weightNorm } from '../../../src/index.ts';

/** Classifies sequences of tokens by what an LSTM remembers at the end. */
export class LstmClassifier extends nn.Module {
  embedding: nn.Embedding;
  lstm: nn.LSTM;
  output: nn.Linear;

  constructor(tokens: number, width: number, hidden: number, classes: number) {
    super();
    this.embedding = new nn.Embedding(tokens, width);
    this.lstm = weightNorm(new nn.LSTM(width, hidden, { batchFirst: true }), 'weight_hh_l0');
    this.output = new nn.Linear(hidden, classes);
  }

  /** @param tokens - int32 `[n, length]` */
  forward(tokens: tf.Tensor): tf.Tensor {
    const [, [h]] = this.lstm.call(this.embedding.call(tokens));
    return this.output.call(tf.squeeze(h, [0]));
  }
}
