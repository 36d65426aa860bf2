import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { isParametrized, nn, parametrizationsOn, spectralNorm, valueOf, weightNorm } from 'tfjs-parametrize';
import { describe, expect, it } from 'vitest';
import 'tfjs-parametrize/layers';
import { loadCheckpoint, saveCheckpoint, writeSafetensors } from '../../../src/checkpoint/index.ts';
import { disposeModel } from '../../layers/layerCases.ts';
import { fileOf, goldenOf, layerNetworks, memoryHandler, within } from '../layerNetworks.ts';

const isWasm = process.env['TFJS_BACKEND'] === 'wasm';

function checkPredictions(model: tf.LayersModel, name: string): void {
  // On wasm its kernel adds to memory that it has not cleared, whatever the weights are.
  if (isWasm && name === 'conv_transpose3d') return;
  const { x, y } = goldenOf(name);
  const predicted = model.predict(x) as tf.Tensor;
  try {
    expect(predicted).toBeAllClose(y, within);
  } finally {
    tf.dispose([x, y, predicted]);
  }
}

/** What a model has, bit for bit. */
const numbersOf = (model: tf.LayersModel): Promise<number[][]> =>
  Promise.all(model.getWeights().map(async (weight) => [...(await weight.data())]));

/** A safetensors file of zeros. */
async function fileWith(shapes: Record<string, number[]>): Promise<Uint8Array> {
  const tensors = Object.fromEntries(Object.entries(shapes).map(([key, shape]) => [key, tf.ones(shape)]));
  const bytes = await writeSafetensors(tensors);
  tf.dispose(tensors);
  return bytes;
}

describe('a model of tf.layers', () => {
  it.each(Object.keys(layerNetworks))('predicts what torch does with the state dict %s', async (name) => {
    const model = layerNetworks[name]!();
    const report = await loadCheckpoint(model, fileOf(name));
    checkPredictions(model, name);
    expect(report.missing).toEqual([]);
    expect(report.unexpected).toEqual([]);
    expect(report.notes).toEqual([]);
    expect(report.folded.length > 0).toBe(name.includes('norm'));
    model.dispose();
  });

  const hosts = { weightNorm, spectralNorm };
  it.each(
    Object.keys(layerNetworks).flatMap((name) =>
      // Spectral norm changes values whose norm is not 1, in torch too.
      Object.keys(hosts).flatMap((host) =>
        host === 'weightNorm' || name.includes('spectral') ? [[name, host] as const] : [],
      ),
    ),
  )('predicts what torch does with %s in layers with %s', async (name, host) => {
    const model = layerNetworks[name]!();
    const kernels = model.layers.filter((layer) => /^(?:Dense|Conv)/.test(layer.getClassName()));
    for (const layer of kernels) hosts[host as 'weightNorm'](layer, 'kernel');
    const report = await loadCheckpoint(model, fileOf(name));
    checkPredictions(model, name);
    // The norms of torch run along the inputs of transposed convolutions, those of layers along the outputs.
    const isSame = name.includes(host === 'weightNorm' ? 'weight_norm' : 'spectral_norm');
    const isAlong = !/generator_weight|inputs/.test(name);
    const isRenamed = kernels.length > 0 && isSame && isAlong;
    expect(/right inverse/.test(String(report))).toBe(kernels.length > 0 && !isRenamed);
    for (const layer of kernels) expect(isParametrized(layer, 'kernel')).toBe(true);
    model.dispose();
  });

  it('takes originals over bit for bit, where the axes of the norms are the same', async () => {
    const model = layerNetworks['cnn_weight_norm']!();
    const dense = model.layers.at(-1)!;
    weightNorm(dense, 'kernel');
    const report = await loadCheckpoint(model, fileOf('cnn_weight_norm'));
    expect(String(report)).toContain(
      `classifier.weight_g + classifier.weight_v  ${dense.name}.parametrizations.kernel.original0 + ${dense.name}.parametrizations.kernel.original1  renamed, transposed [out, c·h·w] → [h·w·c, out]`,
    );
    const twin = new nn.Linear(36, 3);
    weightNorm(twin);
    await loadCheckpoint(twin, fileOf('cnn_weight_norm'), { prefix: 'classifier' });
    const { g, v } = parametrizationsOn(dense, 'kernel');
    tf.tidy(() => {
      expect(g).toBeAllClose(tf.transpose(parametrizationsOn(twin, 'weight').g!), { absolute: 0 });
      const rows = tf.transpose(
        tf.reshape(parametrizationsOn(twin, 'weight').v!, [3, 4, 3, 3]),
        [2, 3, 1, 0],
      );
      expect(v).toBeAllClose(tf.reshape(rows, [36, 3]), { absolute: 0 });
    });
    twin.dispose();
    model.dispose();
  });

  it('loads what is wrapped, from files, handlers and URLs of tf.io', async () => {
    const network = new nn.Sequential(
      new nn.Linear(4, 5),
      new nn.Tanh(),
      new nn.Linear(5, 3),
      new nn.LayerNorm(3),
    );
    await loadCheckpoint(network, fileOf('mlp'));
    const wrapped = Object.entries(network.stateDict()).map(([key, value]) => [
      `state_dict.module.${key}`,
      value,
    ]);
    const step = tf.scalar(1);
    const bytes = await writeSafetensors({ ...Object.fromEntries(wrapped), 'optimizer.state.0.step': step });
    const handler = memoryHandler();
    await saveCheckpoint(network, handler);
    const model = layerNetworks['mlp']!();
    for (const [source, prefix] of [
      [bytes, 'state_dict.module.'],
      [handler, ''],
    ] as const) {
      const report = await loadCheckpoint(model, source);
      checkPredictions(model, 'mlp');
      expect(prefix.startsWith(report.prefix)).toBe(true);
      expect(report.skipped).toEqual(source === bytes ? ['optimizer.state.0.step'] : []);
    }
    const { skipped } = await loadCheckpoint(model, bytes, { prefix: 'state_dict.module' });
    expect(skipped).toEqual(['optimizer.state.0.step']);
    step.dispose();
    network.dispose();
    model.dispose();
  });

  it('is matched by the names of its layers, also of those in models in it, whatever their order', async () => {
    const encoder = tf.sequential({
      name: 'encoder',
      layers: [
        tf.layers.dense({ units: 3, name: '0', inputShape: [2] }),
        tf.layers.dense({ units: 3, name: '1' }),
      ],
    });
    const model = tf.sequential({ layers: [encoder, tf.layers.dense({ units: 1, name: 'head.last' })] });
    class Torch extends nn.Module {
      head = new nn.ModuleDict({ last: new nn.Linear(3, 1) });
      encoder = new nn.Sequential(new nn.Linear(2, 3), new nn.Linear(3, 3));
      forward(x: tf.Tensor): tf.Tensor {
        return this.head.get('last')!.call(this.encoder.call(x)) as tf.Tensor;
      }
    }
    const torch = new Torch();
    const handler = memoryHandler();
    await saveCheckpoint(torch, handler);
    const report = await loadCheckpoint(model, handler);
    expect(report.mapped.map(({ from, to }) => [...from, ...to])).toEqual([
      ['head.last.weight', 'head.last.kernel'],
      ['head.last.bias', 'head.last.bias'],
      ['encoder.0.weight', 'encoder.0.kernel'],
      ['encoder.0.bias', 'encoder.0.bias'],
      ['encoder.1.weight', 'encoder.1.kernel'],
      ['encoder.1.bias', 'encoder.1.bias'],
    ]);
    tf.tidy(() => {
      const x = tf.randomNormal([4, 2], 0, 1, 'float32', 1);
      expect(model.predict(x) as tf.Tensor).toBeAllClose(torch.call(x), within);
    });
    torch.dispose();
    model.dispose();
  });

  it('may be a single layer', async () => {
    const layer = tf.layers.dense({ units: 2, inputShape: [3] });
    const bytes = await fileWith({ weight: [2, 3], bias: [2] });
    await expect(loadCheckpoint(layer, bytes)).rejects.toMatchObject({
      code: 'UNSUPPORTED_HOST',
      message: expect.stringContaining('is not built'),
    });
    await expect(loadCheckpoint(tf.sequential(), bytes)).rejects.toMatchObject({
      code: 'UNSUPPORTED_HOST',
      message: expect.stringContaining('is not built'),
    });
    layer.build([null, 3]);
    await loadCheckpoint(layer, bytes);
    expect([...(await valueOf(layer, 'kernel').data())]).toEqual([1, 1, 1, 1, 1, 1]);
    const handler = memoryHandler();
    await saveCheckpoint(layer, handler);
    expect(handler.names()).toEqual(['weight', 'bias']);
    for (const weight of layer.weights) weight.dispose();
  });

  const two = (): tf.Sequential =>
    tf.sequential({
      layers: [
        tf.layers.dense({ units: 3, inputShape: [3], name: 'first' }),
        tf.layers.dense({ units: 3, name: 'second' }),
      ],
    });

  it('asks which is which where shapes are equal, whatever order or numbers the modules have', async () => {
    const model = two();
    const named = (...paths: string[]): Promise<Uint8Array> =>
      fileWith(
        Object.fromEntries(
          paths.flatMap((path) => [
            [`${path}.weight`, [3, 3]],
            [`${path}.bias`, [3]],
          ]),
        ),
      );
    await expect(loadCheckpoint(model, await named('net.10', 'net.2'))).rejects.toMatchObject({
      code: 'AMBIGUOUS',
      rename: { 'net.2': 'first', 'net.10': 'second' },
      message: expect.stringMatching(
        /'net\.2' and 'net\.10' of the file can each be 'first' or 'second'.*\{ rename: \{ 'net\.2': 'first', 'net\.10': 'second' \} \}/,
      ),
    });
    const words = await named('alpha', 'beta');
    await expect(loadCheckpoint(model, words, { strict: false })).rejects.toMatchObject({
      code: 'AMBIGUOUS',
    });
    const { mapped } = await loadCheckpoint(model, words, { rename: { alpha: 'second', beta: 'first' } });
    expect(mapped.find(({ from }) => from[0] === 'alpha.weight')!.to).toEqual(['second.kernel']);
    model.dispose();
  });

  it('asks which of two parts of a file is meant, if both fit', async () => {
    const model = tf.sequential({
      layers: [tf.layers.dense({ units: 3, inputShape: [2] }), tf.layers.dense({ units: 3 })],
    });
    const shapes = { '0.weight': [3, 2], '0.bias': [3], '1.weight': [3, 3], '1.bias': [3] };
    const entries = ['model.', 'ema.'].flatMap((prefix) =>
      Object.entries(shapes).map(([key, shape]) => [prefix + key, shape] as const),
    );
    const bytes = await fileWith(Object.fromEntries(entries) as never);
    await expect(loadCheckpoint(model, bytes)).rejects.toMatchObject({
      code: 'AMBIGUOUS',
      message: expect.stringMatching(/'ema\.', 'model\.'|'model\.', 'ema\.'/),
    });
    expect((await loadCheckpoint(model, bytes, { prefix: 'ema' })).prefix).toBe('ema.');
    model.dispose();
  });

  it('asks which layer is which, where layers of equal shapes are side by side', async () => {
    const input = tf.input({ shape: [3] });
    const left = tf.layers.dense({ units: 3, name: 'left' });
    const right = tf.layers.dense({ units: 3, name: 'right' });
    const branches = [left, right].map((layer) => layer.apply(input) as tf.SymbolicTensor);
    const model = tf.model({ inputs: input, outputs: tf.layers.add().apply(branches) as tf.SymbolicTensor });
    const bytes = await fileWith({ '0.weight': [3, 3], '0.bias': [3], '1.weight': [3, 3], '1.bias': [3] });
    await expect(loadCheckpoint(model, bytes)).rejects.toMatchObject({
      code: 'AMBIGUOUS',
      message: expect.stringMatching(
        /'0' and '1' .*'left' or 'right'.*rename: \{ '0': 'left', '1': 'right' \}/,
      ),
    });
    await loadCheckpoint(model, bytes, { rename: { '0': 'right', '1': 'left' } });
    model.dispose();
  });

  it('lists what does not fit, and stays as it is', async () => {
    const model = two();
    weightNorm(model.layers[0]!, 'kernel');
    const before = await numbersOf(model);
    const whole = { 'first.weight': [3, 3], 'first.bias': [3], 'second.weight': [3, 3], 'second.bias': [3] };
    const { 'second.bias': _, ...withoutBias } = whole;
    const cases: [Record<string, number[]>, RegExp][] = [
      [withoutBias, /missing: second\.bias/],
      [{ ...whole, surplus: [1] }, /unexpected: surplus/],
      [{ ...whole, 'second.weight': [2, 3] }, /'second\.weight' has shape \[2, 3\] in the file and \[3, 3\]/],
      [{ ...whole, 'first.weight': [3, 4] }, /\[3, 4\].*\[3, 3\]/],
      [
        { '0.weight': [3, 3], '0.bias': [3], '1.weight': [4, 3], '1.bias': [4] },
        /'1' does not fit 'second': its (?:weight|bias) has shape \[4/,
      ],
      [
        { '0.weight': [3, 3], '0.bias': [3] },
        /the file has 1 module, the model 2 layers with weights; 'second' has none/,
      ],
      [{ '0.weight': [3, 3], '1.weight': [3, 3], '2.weight': [3, 3] }, /'2' has none/],
    ];
    for (const [shapes, message] of cases) {
      const bytes = await fileWith(shapes);
      const { numTensors } = tf.memory();
      await expect(loadCheckpoint(model, bytes)).rejects.toMatchObject({
        name: 'StateDictError',
        message: expect.stringMatching(message),
      });
      expect(tf.memory().numTensors).toBe(numTensors);
      expect(await numbersOf(model)).toEqual(before);
    }
    // The state dict that is most like the model is shown, not a part of it with as few modules, nor what is beside it.
    const wrapped = Object.entries({
      '0.weight': [3, 3],
      '1.0.weight': [3, 4],
      '1.1.weight': [4, 3],
      '2.weight': [1],
    });
    const nested = Object.fromEntries(wrapped.map(([key, shape]) => [`state.net.${key}`, shape]));
    await expect(
      loadCheckpoint(model, await fileWith({ ...nested, 'optimizer.0.step': [1] })),
    ).rejects.toThrow(
      /'1\.0' does not fit 'second': its weight has shape \[3, 4\], not \[3, 3\].*rename: \{ '0': 'first' \}/,
    );
    const report = await loadCheckpoint(model, await fileWith(withoutBias), { strict: false });
    expect(report.missing).toEqual(['second.bias']);
    expect((await numbersOf(model)).at(-1)).toEqual(before.at(-1));
    model.dispose();
  });

  it('keeps its variables, and the state of its optimizer', async () => {
    const model = two();
    weightNorm(model.layers[1]!, 'kernel');
    model.compile({ optimizer: tf.train.adam(0.1), loss: 'meanSquaredError' });
    const x = tf.ones([2, 3]);
    await model.fit(x, x, { verbose: 0 });
    const variables = model.getWeights();
    const before = await Promise.all((await withoutStep(model.optimizer)).map((tensor) => tensor.data()));
    await loadCheckpoint(
      model,
      await fileWith({
        'first.weight': [3, 3],
        'first.bias': [3],
        'second.weight': [3, 3],
        'second.bias': [3],
      }),
    );
    expect(model.getWeights()).toEqual(variables);
    const after = await Promise.all((await withoutStep(model.optimizer)).map((tensor) => tensor.data()));
    expect(after).toEqual(before);
    await model.fit(x, x, { verbose: 0 });
    x.dispose();
    disposeModel(model);
  });

  it('is not loaded from GRUs of torch, which compute something else', async () => {
    expect(() => tf.layers.gru({ units: 2, resetAfter: true } as never)).toThrow('reset_after');
    const gru = (name: string): tf.layers.Layer =>
      tf.layers.gru({ units: 4, returnSequences: true, inputShape: [4, 3], name });
    for (const name of ['gru', 'rnn']) {
      const model = tf.sequential({ layers: [gru(name), tf.layers.dense({ units: 2, name: 'head' })] });
      const other = tf.sequential({ layers: [gru(`${name}_1`), tf.layers.dense({ units: 2 })] });
      for (const each of [model, other]) {
        const before = await numbersOf(each);
        await expect(
          loadCheckpoint(each, fileOf('gru'), { rename: name === 'gru' ? { rnn: 'gru' } : {} }),
        ).rejects.toMatchObject({
          code: 'UNSUPPORTED',
          message: expect.stringMatching(/reset gate.*nn/),
        });
        expect(await numbersOf(each)).toEqual(before);
        each.dispose();
      }
    }
  });

  it('notes what torch computes otherwise by default', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.lstm({ units: 1, inputShape: [2, 1], name: 'lstm' }),
        tf.layers.batchNormalization({ name: 'norm' }),
      ],
    });
    const handler = memoryHandler();
    await saveCheckpoint(model, handler);
    const report = await loadCheckpoint(model, handler);
    expect(report.notes).toEqual([
      { kind: 'model', text: "'lstm': recurrentActivation is hardSigmoid, torch computes sigmoid" },
      { kind: 'model', text: "'norm': epsilon is 0.001, torch's default is 0.00001" },
    ]);
    expect(String(report)).toMatch(/\nnote: 'lstm': recurrentActivation/);
    model.dispose();
  });

  it('follows the recipe of a file, in the axes of its own layout', async () => {
    const torch = new nn.Sequential(
      weightNorm(new nn.Conv2d(2, 3, 3)),
      spectralNorm(new nn.ConvTranspose2d(3, 4, 2)),
      new nn.Flatten(),
      weightNorm(new nn.Linear(100, 2), 'weight', { dim: 1 }),
    );
    torch.eval();
    const handler = memoryHandler();
    await saveCheckpoint(torch, handler);
    const model = tf.sequential({
      layers: [
        tf.layers.conv2d({ filters: 3, kernelSize: 3, inputShape: [6, 6, 2] }),
        tf.layers.conv2dTranspose({ filters: 4, kernelSize: 2 }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 2 }),
      ],
    });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const { registered } = await loadCheckpoint(model, handler, { catalog: { weightNorm, spectralNorm } });
    const [conv, transposed, , dense] = model.layers as [
      tf.layers.Layer,
      tf.layers.Layer,
      tf.layers.Layer,
      tf.layers.Layer,
    ];
    expect(registered).toEqual([`${conv.name}.kernel`, `${transposed.name}.kernel`, `${dense.name}.kernel`]);
    const maps = [conv, transposed, dense].map((layer) => parametrizationsOn(layer, 'kernel')[0]!.toString());
    expect(maps).toEqual([
      'WeightNorm(dim=3)',
      'SpectralNorm(nPowerIterations=1, eps=1e-12, dim=2)',
      'WeightNorm(dim=0)',
    ]);
    const x = tf.randomNormal([2, 2, 6, 6], 0, 1, 'float32', 1);
    const [last, target] = [tf.transpose(x, [0, 2, 3, 1]), tf.zeros([2, 2])];
    tf.tidy(() => {
      expect(model.predict(last) as tf.Tensor).toBeAllClose(torch.call(x) as tf.Tensor, within);
    });
    // It has been synced.
    if (!isWasm) await model.fit(last, target, { verbose: 0 });
    torch.dispose();
    tf.dispose([x, last, target]);
    disposeModel(model);
  });

  it('takes the value of what a recipe names and layers cannot have', async () => {
    const { orthogonal } = await import('tfjs-parametrize');
    const torch = orthogonal(new nn.Linear(3, 3));
    const handler = memoryHandler();
    await saveCheckpoint(torch, handler);
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [3] })] });
    const report = await loadCheckpoint(model, handler, { catalog: { orthogonal } });
    expect(report.registered).toEqual([]);
    expect(isParametrized(model.layers[0]!)).toBe(false);
    tf.tidy(() => {
      expect(model.getWeights()[0]!).toBeAllClose(tf.transpose(torch.weight), { absolute: 1e-6 });
    });
    for (const catalog of [{}, { orthogonal: 1 } as never]) {
      await expect(loadCheckpoint(model, handler, { catalog })).rejects.toMatchObject({
        code: 'UNKNOWN_RECIPE',
      });
    }
    torch.dispose();
    model.dispose();
  });

  it('is as it was if what the catalog registers does not fit', async () => {
    const torch = new nn.Sequential(weightNorm(new nn.Linear(3, 3)), weightNorm(new nn.Linear(3, 3)));
    const handler = memoryHandler();
    await saveCheckpoint(torch, handler);
    const model = two();
    const before = await numbersOf(model);
    let calls = 0;
    const catalog = {
      weightNorm: (host: object, name: string, options: object) => {
        // Twice for the trial, once for the first layer, then for the second.
        if (++calls === 4) throw new Error('enough');
        weightNorm(host as nn.Linear, name as 'weight', options);
      },
    };
    const rename = { '0': 'first', '1': 'second' };
    await expect(loadCheckpoint(model, handler, { catalog, rename })).rejects.toThrow('enough');
    expect(calls).toBe(4);
    expect(model.layers.map((layer) => isParametrized(layer))).toEqual([false, false]);
    expect(await numbersOf(model)).toEqual(before);
    torch.dispose();
    model.dispose();
  });

  it('computes what a network of nn does, whatever the sizes of its convolutions and layers', async () => {
    const size = fc.integer({ min: 1, max: 4 });
    await fc.assert(
      fc.asyncProperty(
        size,
        size,
        size,
        size,
        fc.boolean(),
        async (channels, filters, kernel, units, pools) => {
          const side = 7;
          const torch = new nn.Sequential(
            new nn.Conv2d(channels, filters, kernel),
            pools ? new nn.MaxPool2d(2) : new nn.ReLU(),
            new nn.Flatten(),
            new nn.Linear(
              filters * (pools ? Math.floor((side - kernel + 1) / 2) : side - kernel + 1) ** 2,
              units,
            ),
          );
          const model = tf.sequential({
            layers: [
              tf.layers.conv2d({ filters, kernelSize: kernel, inputShape: [side, side, channels] }),
              pools ? tf.layers.maxPooling2d({ poolSize: 2 }) : tf.layers.reLU(),
              tf.layers.flatten(),
              tf.layers.dense({ units }),
            ],
          });
          const handler = memoryHandler();
          await saveCheckpoint(torch, handler);
          await loadCheckpoint(model, handler);
          tf.tidy(() => {
            const x = tf.randomNormal([2, channels, side, side], 0, 1, 'float32', 1);
            const y = model.predict(tf.transpose(x, [0, 2, 3, 1])) as tf.Tensor;
            expect(y).toBeAllClose(torch.call(x) as tf.Tensor, within);
          });
          torch.dispose();
          model.dispose();
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe('what is no module', () => {
  it('is refused with what to do instead', async () => {
    const graph = new tf.GraphModel('model.json');
    const bytes = await fileWith({ weight: [1] });
    for (const [model, text] of [
      [graph, /GraphModel.*constants of a graph/],
      [{}, /got Object\. Read the tensors/],
      [null, /got null/],
    ] as const) {
      await expect(loadCheckpoint(model as never, bytes)).rejects.toMatchObject({
        code: 'UNSUPPORTED_HOST',
        message: expect.stringMatching(text),
      });
      await expect(saveCheckpoint(model as never, memoryHandler())).rejects.toMatchObject({
        code: 'UNSUPPORTED_HOST',
      });
    }
  });
});

/** The state of an optimizer without its step count, which is a new tensor each time. */
async function withoutStep(optimizer: tf.Optimizer): Promise<tf.Tensor[]> {
  const [step, ...slots] = await optimizer.getWeights();
  step!.tensor.dispose();
  return slots.map(({ tensor }) => tensor);
}
