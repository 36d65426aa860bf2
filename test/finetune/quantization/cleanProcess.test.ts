import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { dropConnect, fakeQuantize, parametrize, prune, weightNorm } from 'tfjs-parametrize';
import { pruneGradually, saveQuantized } from 'tfjs-parametrize/finetune';
import { describe, expect, it } from 'vitest';
import 'tfjs-parametrize/layers';
import { outputOf } from '../../outputOf.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { bitsOf } from './quantizedModels.ts';

/** A program with tfjs alone, which loads the model of a folder from a server and prints the bits of its predictions. */
const programFor = (folder: string): string => `
  import { readFileSync } from 'node:fs';
  import { createServer } from 'node:http';
  import type { AddressInfo } from 'node:net';
  import * as tf from '@tensorflow/tfjs';

  const at = (name: string) => readFileSync(${JSON.stringify(`${folder}/`)} + name);
  const server = createServer(({ url }, response) => void response.end(at(url!.slice(1)))).listen(0);
  const { port } = server.address() as AddressInfo;
  const model = await tf.loadLayersModel(\`http://127.0.0.1:\${port}/model.json\`);
  server.close();
  const { values, shape } = JSON.parse(String(at('inputs.json')));
  const [predicted] = [model.predict(tf.tensor(values, shape))].flat() as tf.Tensor[];
  console.log(JSON.stringify([...new Uint32Array(Float32Array.from(predicted!.dataSync()).buffer)]));
`;

/** A model with a chain, an observer, weight dropout, recurrent kernels and a layer that computes twice. */
function makeNet(): tf.LayersModel {
  const shared = tf.layers.dense({ units: 6, activation: 'tanh', name: 'shared' });
  const input = tf.input({ shape: [8, 8, 1] });
  const conv = tf.layers.conv2d({ filters: 3, kernelSize: 3, name: 'conv' }).apply(input);
  const norm = tf.layers.batchNormalization({ name: 'norm' }).apply(conv);
  const rows = tf.layers.reshape({ targetShape: [6, 18], name: 'rows' }).apply(norm);
  const lstm = tf.layers.lstm({ units: 6, name: 'lstm' }).apply(rows);
  const twice = shared.apply(shared.apply(lstm));
  const output = tf.layers.dense({ units: 4, activation: 'softmax', name: 'output' }).apply(twice);
  const model = tf.model({ inputs: input, outputs: output as tf.SymbolicTensor });
  weightNorm(model.getLayer('conv'));
  prune(model.getLayer('conv'), { fraction: 0.5 });
  parametrize(model, [
    { type: ['Conv2D', 'Dense'], apply: fakeQuantize, options: { observer: 'minMax' }, onConflict: 'append' },
    { type: 'LSTMCell', name: ['kernel', 'recurrentKernel'], apply: fakeQuantize },
  ]);
  dropConnect(model.getLayer('output'), { p: 0.2 });
  return model;
}

describe('a quantized model in a process without this package', () => {
  it.each([
    ['momentum', () => tf.train.momentum(0.05, 0.9)],
    ['adam', () => tf.train.adam(0.01)],
  ] as const)('predicts as the model that was trained in fit, bit for bit: %s', async (_, optimizer) => {
    const folder = mkdtempSync(join(tmpdir(), 'clean-'));
    const model = makeNet();
    const used = optimizer();
    model.compile({ optimizer: used, loss: 'categoricalCrossentropy' });
    const [x, y] = inTidy(() => [
      tf.keep(tf.randomNormal([24, 8, 8, 1], 0, 1, 'float32', 3)),
      tf.keep(tf.oneHot(tf.cast(tf.mod(tf.range(0, 24), 4), 'int32'), 4)),
    ]) as [tf.Tensor, tf.Tensor];
    const pruning = pruneGradually(model, { type: 'LSTMCell', final: 0.5, end: 6, every: 2 });
    const before = inTidy(() => bitsOf(model.predict(x) as tf.Tensor));
    await model.fit(x, y, { epochs: 4, batchSize: 8, verbose: 0, callbacks: pruning });
    const after = inTidy(() => bitsOf(model.predict(x) as tf.Tensor));
    expect(after).not.toEqual(before);

    const report = await saveQuantized(model, join(folder, 'model.json'));
    expect(report.tensors.filter(({ dtype }) => dtype === 'uint8').map(({ name }) => name)).toEqual([
      'conv/kernel',
      'lstm/kernel',
      'lstm/recurrent_kernel',
      'shared/kernel',
      'output/kernel',
    ]);
    expect(report.tensors.every(({ isExact, reason }) => isExact && reason === null)).toBe(true);
    writeFileSync(
      join(folder, 'inputs.json'),
      JSON.stringify({ values: [...(await x.data())], shape: x.shape }),
    );
    expect(JSON.parse(await outputOf(programFor(folder)))).toEqual(after);

    rmSync(folder, { recursive: true });
    tf.dispose([x, y]);
    model.dispose();
    // tfjs frees a layer that computes twice after two calls, and never the constant of momentum.
    model.getLayer('shared').dispose();
    used.dispose();
    tf.dispose((used as unknown as { c?: tf.Tensor }).c ?? []);
  });
});
