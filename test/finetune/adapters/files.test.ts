import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { converted } from '../../../src/checkpoint/convert/converted.ts';
import { openCheckpoint } from '../../../src/checkpoint/file/openCheckpoint.ts';
import { loadCheckpoint, saveCheckpoint } from '../../../src/checkpoint/index.ts';
import { parametrized } from '../../../src/decorators/index.ts';
import { setAdapters } from '../../../src/finetune/index.ts';
import {
  catalog,
  dora,
  lora,
  nn,
  parametrizationsOn,
  parametrize,
  recipeOf,
  valueOf,
} from '../../../src/index.ts';
import { loadParametrizedModel, saveParametrizedModel } from '../../../src/layers/index.ts';
import { flatten } from '../../toBeAllClose.ts';

const numbersOf = (host: object, name: string): number[] => tf.tidy(() => flatten(valueOf(host, name)));

/** Gives the adapters of variables other numbers. */
function randomize(named: readonly (readonly [string, tf.Variable])[]): void {
  tf.tidy(() => {
    for (const [key, variable] of named) {
      if (key.includes('lora_'))
        variable.assign(tf.randomNormal(variable.shape, 0.5, 1, 'float32', key.length));
    }
  });
}

async function fileOf(model: object): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const stream = new WritableStream<Uint8Array>({ write: (chunk) => void chunks.push(chunk.slice()) });
  await saveCheckpoint(model as nn.Module, stream);
  return Buffer.concat(chunks);
}

it.each([
  ['lora', lora],
  ['dora', dora],
] as const)('%s: a checkpoint of a module has the adapters, and folds to the value', async (kind, map) => {
  nn.manualSeed(1);
  const make = (): nn.Sequential => new nn.Sequential(new nn.Embedding(7, 4), new nn.Linear(4, 3));
  const model = make();
  for (const adapter of ['a', 'b']) {
    parametrize(model, [{ name: 'weight', apply: map, options: { rank: 1, adapter } }]);
  }
  randomize(model.namedParameters());
  setAdapters(model, { b: 2 });
  const file = await fileOf(model);
  const loaded = make();
  const report = await loadCheckpoint(loaded, file, { catalog });
  expect([...report.registered].sort()).toEqual(['0.weight', '1.weight']);
  expect(recipeOf(loaded)).toEqual(recipeOf(model));
  const opened = await openCheckpoint('test', file);
  for (const i of [0, 1]) {
    expect(numbersOf(loaded[i]!, 'weight')).toEqual(numbersOf(model[i]!, 'weight'));
    const { original } = parametrizationsOn(loaded[i]!, 'weight');
    expect(original!.trainable, kind).toBe(false);
    const folded = await converted(opened, { keyFormat: 'folded' }).get(`${i}.weight`)!.read();
    expect([...(folded.data as Float32Array)]).toBeAllClose(numbersOf(model[i]!, 'weight'));
  }
  await opened.close();
  for (const one of [model, loaded]) one.dispose();
});

it('checkpoints and artifacts of tf.layers have the adapters', async () => {
  const make = (): tf.Sequential =>
    tf.sequential({
      layers: [
        tf.layers.dense({ name: 'first', units: 5, inputShape: [4] }),
        tf.layers.dense({ name: 'last', units: 3 }),
      ],
    });
  const model = make();
  model.compile({ optimizer: tf.train.adam(0.1), loss: 'meanSquaredError' });
  parametrize(model, [
    { match: 'first', apply: lora, options: { rank: 2 } },
    { match: 'last', apply: dora, options: { rank: 2 } },
  ]);
  const [x, y] = [tf.ones([2, 4]), tf.ones([2, 3])];
  await model.fit(x, y, { epochs: 2, verbose: 0 });
  const values = (of: tf.LayersModel): number[][] => of.layers.map((layer) => numbersOf(layer, 'kernel'));
  const loaded = make();
  await loadCheckpoint(loaded, await fileOf(model), { catalog });
  expect(values(loaded)).toEqual(values(model));
  let artifacts: tf.io.ModelArtifacts | undefined;
  await saveParametrizedModel(model, {
    save: (saved) => {
      artifacts = saved;
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } });
    },
  });
  const again = await loadParametrizedModel({ load: () => Promise.resolve(artifacts!) }, { catalog });
  expect(values(again)).toEqual(values(model));
  expect(again.trainableWeights.length).toBe(model.trainableWeights.length);
  tf.dispose([x, y]);
  for (const one of [model, again]) one.optimizer.dispose();
  for (const one of [model, loaded, again]) one.dispose();
});

it('decorators add two adapters to one field', () => {
  class Net extends nn.Module {
    @parametrized(lora, { rank: 1, adapter: 'b' })
    @parametrized(lora, { rank: 1, adapter: 'a' })
    weight: tf.Tensor = nn.parameter(() => tf.ones([3, 4]));

    override forward(): tf.Tensor {
      return this.weight;
    }
  }
  const net = new Net();
  expect(Object.keys(net.stateDict())).toEqual([
    'parametrizations.weight.original',
    'parametrizations.weight.0.lora_A.a',
    'parametrizations.weight.0.lora_A.b',
    'parametrizations.weight.0.lora_B.a',
    'parametrizations.weight.0.lora_B.b',
  ]);
  net.dispose();
});
