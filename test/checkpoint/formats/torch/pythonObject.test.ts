import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { loadCheckpoint, openTorch, PythonObject, readTorch } from '../../../../src/checkpoint/index.ts';
import { nn } from '../../../../src/index.ts';
import { bytesOf } from '../../stateDictFiles.ts';

const object = (name: string, parts: object = {}): unknown =>
  Object.assign(new PythonObject(name, null), { args: [], ...parts });

describe.each(['2', '4', '5'])('objects of Python beside tensors, in protocol %s', (protocol) => {
  const bytes = bytesOf(`objects/beside_tensors.${protocol}.pt`);
  const builtins = protocol === '2' ? '__builtin__' : 'builtins';

  it('are data of what Python would make, by the names of their classes', () => {
    const { tensors, object: root } = readTorch(bytes);
    expect(Object.keys(tensors)).toEqual(['model.weight']);
    const saved = root as Map<string, unknown>;
    expect(saved.get('model')).toEqual(new Map([['weight', tensors['model.weight']]]));
    const attributes = (...entries: [string, unknown][]) => new Map(entries);
    const expected: Record<string, unknown> = {
      namespace: object('argparse.Namespace', { state: attributes(['lr', 0.001], ['dims', [3, 4]]) }),
      path: object('pathlib.PurePosixPath', { args: ['/', 'data', 'run'] }),
      default: new Map([['loss', [1.5, 0.5]]]),
      ordered: object('training.config.OrderedConfig', { entries: attributes(['a', 1], ['b', 2]) }),
      list: object('training.config.ListConfig', { items: [1, 2] }),
      set: object('training.config.SetConfig', { args: [[7]] }),
      slots: object('training.config.Slots', { state: [null, attributes(['rate', 0.5])] }),
      color: object('training.colors.Color', { args: [1] }),
      lambda: object('training.schedule.warmup', { args: null }),
      complex: object(`${builtins}.complex`, { args: [1, 2] }),
      delta: object('datetime.timedelta', { args: [0, 3, 0] }),
      torch_dtype: 'torch.float16',
      unknown_torch_dtype: object('torch.float4_e2m1fn_x2', { args: null }),
      device: 'cuda:0',
      size: [2, 3],
      ...(protocol === '2'
        ? {}
        : { with_names: object('training.config.WithNames', { args: [1, attributes(['depth', 2])] }) }),
    };
    for (const [key, value] of Object.entries(expected)) expect(saved.get(key), key).toEqual(value);
    for (const key of ['partial', 'method', 'scalar', 'array', 'dtype', 'range', 'time']) {
      expect(saved.get(key), key).toBeInstanceOf(PythonObject);
    }
    tf.dispose(tensors);
  });

  it('are listed by name, once each, and in the report of what is loaded', async () => {
    const file = await openTorch(bytes);
    const { placeholders } = file;
    await file.close();
    expect(new Set(placeholders).size).toBe(placeholders.length);
    expect(placeholders).toContain('argparse.Namespace');
    expect(placeholders).toContain('functools.partial');
    expect(placeholders).not.toContain('collections.OrderedDict');
    const model = new nn.Linear(2, 2, { bias: false });
    const report = await loadCheckpoint(model, bytes);
    expect(report.placeholders).toEqual(placeholders);
    expect(report.mapped.map(({ from }) => from)).toEqual([['model.weight']]);
    expect(String(report)).toMatch(
      /^note: of 'argparse\.Namespace', .* and \d+ more the file has data, of which nothing was run$/m,
    );
    expect([...(await model.weight.data())]).toEqual([1, 2, 3, 4]);
    model.dispose();
  });
});

describe('every kind of tensor that torch saves', () => {
  const bytes = bytesOf('objects/kinds_of_tensors.pt');

  it.each([
    ['plain', [1, 2]],
    ['subclass', [3, 4]],
    ['parameter', [5, 6]],
    ['with_state', [7, 8]],
    ['hooked', [9]],
    ['packed.args.0', [1]],
  ])('%s is read, without its class, attributes and hooks', async (name, values) => {
    const file = await openTorch(bytes);
    const tensor = await file.tensor(name);
    expect([...(await tensor.data())]).toEqual(values);
    tensor.dispose();
    await file.close();
  });

  it.each([
    ['float4', 'torch.float4_e2m1fn_x2', [4], 'UNSUPPORTED'],
    ['complex', 'C64', [2], 'DTYPE'],
    ['quantized', 'quantized', [2], 'UNSUPPORTED'],
    ['sparse', 'sparse', [2, 5], 'UNSUPPORTED'],
    ['meta', 'meta', [3, 7], 'UNSUPPORTED'],
  ])('%s is listed, and refused by name when it is asked for', async (name, dtype, shape, code) => {
    const file = await openTorch(bytes);
    expect(file.info(name)).toEqual({ dtype, shape });
    await expect(file.tensor(name)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(`'${name}'`),
    });
    await file.close();
  });
});

it('a tensor that is to be made by making itself is data like all else', () => {
  const { tensors, object: root } = readTorch(bytesOf('objects/makes_itself.pt'));
  expect(tensors).toEqual({});
  expect(root).toBeInstanceOf(PythonObject);
});

describe('a whole module', () => {
  it('has the tensors of its state, by the keys of state_dict() and with their ties', async () => {
    const { tensors, object: root } = readTorch(bytesOf('objects/whole_model.pt'));
    const names = ['mean', 'encoder.weight', 'again.weight', 'head.weight', 'head.bias'];
    expect(Object.keys(tensors)).toEqual(names.map((name) => `model.${name}`));
    expect(tensors['model.head.weight']).toBe(tensors['model.encoder.weight']);
    expect([...(await tensors['model.head.bias']!.data())]).toEqual([7, 8]);
    const model = (root as Map<string, unknown>).get('model') as PythonObject;
    expect(model.name).toBe('training.model.Net');
    // What is no part of the state has no name, and is not read.
    expect((model.state as Map<string, unknown>).get('cache')).toBeNull();
    tf.dispose(tensors);
  });

  it('that torch saved is read, and what its hooks are is noted', async () => {
    const { tensors, placeholders } = readTorch(bytesOf('statedicts/whole_module.pt'));
    expect(placeholders).toContain('__main__.MyNet');
    expect(placeholders).toContain('torch.nn.utils.weight_norm.WeightNorm');
    expect(Object.keys(tensors)).toEqual(['l.bias', 'l.weight_g', 'l.weight_v']);
    tf.dispose(tensors);
  });
});
