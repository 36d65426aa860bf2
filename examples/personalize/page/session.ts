import * as tf from '@tensorflow/tfjs-core';
import { loadCheckpoint } from 'tfjs-parametrize/checkpoint';
import {
  loadAdapter,
  type PeftConfig,
  saveAdapter,
  setAdapters,
  unloadAdapters,
} from 'tfjs-parametrize/finetune';
import { type Digits, imageSide } from '../../mnist/digits.ts';
import { predict } from '../../mnist/predict.ts';
import { train } from '../../mnist/train.ts';
import { type Accuracies, accuraciesOf } from '../accuracies.ts';
import { addAdapter } from '../addAdapter.ts';
import { Network } from '../network.ts';

/** The files of a page. */
export interface Files {
  readonly base: Uint8Array;
  readonly training: Digits;
  readonly test: Digits;
}

const batchSize = 32;
const learningRate = 0.003;

/** The steps from one measure of the accuracy to the next. */
const measureEvery = 20;

/** The model of the page: a network with one adapter, which is trained, switched, saved and loaded. */
export class Session {
  readonly network = new Network();
  private readonly files: Files;
  private adapter = 'adapter 0';
  private isOn = true;
  private trainings = 0;
  private adapters = 0;

  private constructor(files: Files) {
    this.files = files;
  }

  /** Loads the base and gives it an adapter that changes nothing yet. */
  static async open(files: Files): Promise<Session> {
    const session = new Session(files);
    await loadCheckpoint(session.network, files.base);
    addAdapter(session.network, session.adapter);
    return session;
  }

  /** False to compute with the base only. */
  set usesAdapter(isOn: boolean) {
    this.isOn = isOn;
    setAdapters(this.network, isOn ? this.adapter : null);
  }

  get usesAdapter(): boolean {
    return this.isOn;
  }

  /** Trains the adapter and switches it on. `measured` gets the accuracies now and then, and at the end. */
  async train(
    steps: number,
    step: (done: number, loss: number) => void,
    measured: (done: number, accuracies: Accuracies) => void,
    signal: AbortSignal,
  ): Promise<void> {
    this.usesAdapter = true;
    let done = 0;
    await train(
      this.network,
      this.files.training,
      this.trainings++,
      { steps, batchSize, learningRate },
      {
        step: async (loss) => {
          step(++done, loss);
          if (done % measureEvery === 0 || done === steps) measured(done, await this.accuracies(signal));
        },
        async epoch() {},
      },
      signal,
    );
  }

  /** On the test digits, with the adapter if it is on. */
  async accuracies(signal: AbortSignal): Promise<Accuracies> {
    return accuraciesOf(await predict(this.network, this.files.test, signal), this.files.test);
  }

  /** The probabilities of the ten digits for an image of 28 by 28 values. */
  async classify(image: Float32Array): Promise<Float32Array> {
    const probabilities = tf.tidy(() =>
      tf.softmax(this.network.call(tf.tensor4d(image, [1, 1, imageSide, imageSide])) as tf.Tensor),
    );
    try {
      return (await probabilities.data()) as Float32Array;
    } finally {
      probabilities.dispose();
    }
  }

  /** Returns the two files of the adapter, by their names. */
  async save(): Promise<Map<string, Uint8Array>> {
    const files = new Map<string, Uint8Array>();
    await saveAdapter(this.network, (name, bytes) => void files.set(name, bytes), { adapter: this.adapter });
    return files;
  }

  /** Puts the adapter of two files in the place of the present one, and switches it on. If it fails, nothing changes. */
  async load(tensors: Uint8Array | Blob, config: PeftConfig): Promise<void> {
    const [before, adapter] = [this.adapter, `adapter ${++this.adapters}`];
    await loadAdapter(this.network, tensors, { adapter, config });
    this.replace(before, adapter);
  }

  /** Forgets what the adapter has learned. */
  reset(): void {
    unloadAdapters(this.network);
    addAdapter(this.network, this.adapter);
    this.usesAdapter = true;
  }

  private replace(before: string, adapter: string): void {
    unloadAdapters(this.network, { adapters: [before] });
    this.adapter = adapter;
    this.usesAdapter = true;
  }
}
