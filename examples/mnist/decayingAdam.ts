import * as tf from '@tensorflow/tfjs-core';

/** Adam with a learning rate that falls linearly towards zero; tfjs's Adam has no way to change it from outside. */
export class DecayingAdam extends tf.AdamOptimizer {
  readonly #initialRate: number;
  readonly #steps: number;
  #step = 0;

  /** @param steps - how many steps there will be */
  constructor(initialRate: number, steps: number) {
    super(initialRate, 0.9, 0.999);
    this.#initialRate = initialRate;
    this.#steps = steps;
  }

  override applyGradients(...args: Parameters<tf.AdamOptimizer['applyGradients']>): void {
    this.learningRate = this.#initialRate * (1 - this.#step++ / this.#steps);
    super.applyGradients(...args);
  }
}
