import * as tf from '@tensorflow/tfjs';
import { spectralNorm, unitNorm, weightNorm } from 'tfjs-parametrize';
import { folded } from 'tfjs-parametrize/layers';

// What browser.test.ts runs in a browser: the first document trains and saves, the second, which knows only what is
// stored, loads.

/** What a document tells the test. */
export type Message =
  | { error: string }
  | { savedFrom: number[] }
  | {
      originals: string[];
      resumed: number[];
      refused: string;
      plain: number[];
      loaded: number[];
      local: number[];
    };

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

async function save(): Promise<Message> {
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

async function load(): Promise<Message> {
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

const tell = (message: Message): Promise<Response> =>
  fetch('/tell', { method: 'POST', body: JSON.stringify(message) });

async function run(): Promise<void> {
  await tf.setBackend('cpu');
  const isFirst = location.pathname === '/';
  await tell(await (isFirst ? save() : load()));
  if (isFirst) location.assign('/load');
}

run().catch((error: Error) => tell({ error: error.stack ?? String(error) }));
