import * as tf from '@tensorflow/tfjs';
import { spectralNorm, unitNorm, weightNorm } from 'tfjs-parametrize';
import { folded } from 'tfjs-parametrize/layers';

// What inBrowser.test.ts runs in documents of their own: the first one trains and saves, the second one, which knows only
// what is stored, loads.

export interface Saved {
  readonly savedFrom: number[];
}

export interface Loaded {
  readonly originals: string[];
  readonly resumed: number[];
  readonly refused: string;
  readonly plain: number[];
  readonly loaded: number[];
  readonly local: number[];
}

/** What a document tells the test. */
export type Message = Saved | Loaded;

const inputs = (): tf.Tensor => tf.randomNormal([6, 5, 3], 0, 1, 'float32', 1);

function register(model: tf.LayersModel): void {
  registerExact(model);
  spectralNorm(model, 'middle.kernel');
}

/** Those that keep a value they had; spectralNorm divides it by its singular value, which training leaves near 1 only. */
function registerExact(model: tf.LayersModel): void {
  unitNorm(model, 'reader.cell.recurrentKernel');
  weightNorm(model, 'readout.kernel');
}

const predictions = (model: tf.LayersModel): number[] =>
  tf.tidy(() => [...(model.predict(inputs()) as tf.Tensor).dataSync()]);

async function save(): Promise<Saved> {
  const model = tf.sequential({
    layers: [
      tf.layers.lstm({ units: 4, inputShape: [5, 3], name: 'reader' }),
      tf.layers.dense({ units: 4, activation: 'tanh', name: 'middle' }),
      tf.layers.dense({ units: 2, name: 'readout' }),
    ],
  });
  register(model);
  model.compile({ optimizer: tf.train.adam(0.05), loss: 'meanSquaredError' });
  await model.fit(inputs(), tf.randomNormal([6, 2], 0, 1, 'float32', 2), { epochs: 5, verbose: 0 });
  await model.save('indexeddb://originals');
  await folded(model, () => model.save('indexeddb://plain'));
  await folded(model, () => model.save('localstorage://plain'));
  return { savedFrom: predictions(model) };
}

async function load(): Promise<Loaded> {
  const artifacts = await tf.io.getLoadHandlers('indexeddb://originals')[0]!.load!();
  const weights = tf.io.decodeWeights(artifacts.weightData!, artifacts.weightSpecs!);
  const fromTopology = (): Promise<tf.LayersModel> =>
    tf.loadLayersModel(tf.io.fromMemory({ modelTopology: artifacts.modelTopology! }));

  const resumed = await fromTopology();
  register(resumed);
  resumed.loadWeights(weights);

  let refused = '';
  await tf.loadLayersModel('indexeddb://originals').catch((error: Error) => {
    refused = error.message;
  });

  const plain = await tf.loadLayersModel('indexeddb://plain');
  const loaded = await fromTopology();
  registerExact(loaded);
  folded(loaded, () => loaded.setWeights(plain.getWeights()));
  const local = await tf.loadLayersModel('localstorage://plain');
  return {
    originals: Object.keys(weights),
    resumed: predictions(resumed),
    refused,
    plain: predictions(plain),
    loaded: predictions(loaded),
    local: predictions(local),
  };
}

const tell = (message: Message | { error: string }): void => parent.postMessage(message);

async function run(): Promise<void> {
  await tf.setBackend('cpu');
  tell(await (window.name === 'saves' ? save() : load()));
}

run().catch((error: Error) => tell({ error: error.stack ?? String(error) }));
