import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { loadCheckpoint, openTorch } from '../../../src/checkpoint/index.ts';
import { nn } from '../../../src/index.ts';
import { bytesOf } from '../stateDictFiles.ts';

// Files that people have, made small; files/README.md says what is in each.

const real = (file: string): Uint8Array => bytesOf(`real/${file}`);

const mlp = () => new nn.Sequential(new nn.Linear(3, 4), new nn.ReLU(), new nn.Linear(4, 2));

/** The tensors of a file below a prefix are those of a model after loading. */
async function expectLoaded(model: nn.Module, file: string, prefix = ''): Promise<void> {
  const opened = await openTorch(real(file));
  for (const [key, variable] of Object.entries(model.stateDict())) {
    const tensor = await opened.tensor(prefix + key);
    expect([...(await variable.data())], key).toEqual([...(await tensor.data())]);
    tensor.dispose();
  }
  await opened.close();
}

describe('a state dict with a sparse buffer', () => {
  it('gives the other tensors to a model, and its buffer is unexpected', async () => {
    const model = new nn.Linear(3, 4);
    const report = await loadCheckpoint(model, real('linear_sparse.pth'), { strict: false });
    expect(report.unexpected).toEqual(['adj']);
    await expectLoaded(model, 'linear_sparse.pth');
    await expect(loadCheckpoint(model, real('linear_sparse.pth'))).rejects.toMatchObject({
      code: 'STATE_DICT',
      unexpectedKeys: ['adj'],
    });
    model.dispose();
  });

  it('is refused by the name of the buffer for a model that has one', async () => {
    const model = new nn.Linear(3, 4);
    Object.assign(model, { adj: nn.buffer(tf.zeros([3, 3])) });
    await expect(loadCheckpoint(model, real('linear_sparse.pth'))).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining("'adj' is sparse"),
    });
    model.dispose();
  });
});

describe('a complex buffer that the model lacks', () => {
  it('is an unexpected key, and left out if that is allowed', async () => {
    const model = mlp();
    await expect(loadCheckpoint(model, real('complex_buffer.pth'))).rejects.toMatchObject({
      code: 'STATE_DICT',
      unexpectedKeys: ['freqs_cis'],
    });
    const report = await loadCheckpoint(model, real('complex_buffer.pth'), { strict: false });
    expect([report.unexpected, report.missing]).toEqual([['freqs_cis'], []]);
    await expectLoaded(model, 'complex_buffer.pth');
    model.dispose();
  });

  it('is left out of a model that renames keys itself, and of one that follows a recipe', async () => {
    const model = mlp();
    const hook = model.registerLoadStateDictPreHook(() => {});
    const options = { strict: false } as const;
    const reports = [await loadCheckpoint(model, real('complex_buffer.pth'), options)];
    hook.remove();
    reports.push(await loadCheckpoint(model, real('complex_buffer.pth'), { ...options, catalog: {} }));
    for (const { unexpected } of reports) expect(unexpected).toEqual(['freqs_cis']);
    await expectLoaded(model, 'complex_buffer.pth');
    model.dispose();
  });

  it('is refused for its type when it is asked for', async () => {
    const model = mlp();
    Object.assign(model, { freqs_cis: nn.buffer(tf.zeros([3])) });
    await expect(loadCheckpoint(model, real('complex_buffer.pth'))).rejects.toMatchObject({
      code: 'DTYPE',
      message: expect.stringContaining("'freqs_cis' has the type C64"),
    });
    model.dispose();
  });
});

it('a parameter with Python attributes is read, and the attributes are left out', async () => {
  const model = mlp();
  const report = await loadCheckpoint(model, real('param_with_state.pth'));
  expect(report.placeholders).toEqual([]);
  await expectLoaded(model, 'param_with_state.pth');
  model.dispose();
});

it.each([
  ['lightning_namespace.ckpt', 'state_dict.model.', ['argparse.Namespace']],
  ['numpy_scalar.pth', 'model.', ['numpy.core.multiarray.scalar', 'numpy.dtype']],
])('the training checkpoint %s is loaded, and the report names its objects', async (file, prefix, names) => {
  const model = mlp();
  const report = await loadCheckpoint(model, real(file));
  expect([report.prefix, report.placeholders]).toEqual([prefix, names]);
  for (const name of names) expect(String(report)).toContain(name);
  await expectLoaded(model, file, prefix);
  model.dispose();
});
