import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { nn, weightNorm } from 'tfjs-parametrize';
import { loadCheckpoint, readTorch, saveCheckpoint } from 'tfjs-parametrize/checkpoint';

const steps = 5;
const learningRate = 0.1;

/** The losses before each step and after the last: here, in PyTorch, and here again; each goes on where the last stopped. */
export interface Journey {
  readonly here: readonly number[];
  readonly there: readonly number[];
  readonly back: readonly number[];
  /** What the same steps give without leaving. */
  readonly stayed: readonly number[];
  /** Whether the model that came back has the bits that PyTorch saved, and the one that went those that PyTorch got. */
  readonly restored: boolean;
}

const makeModel = (): nn.Sequential =>
  new nn.Sequential(weightNorm(new nn.Linear(8, 16)), new nn.Tanh(), weightNorm(new nn.Linear(16, 1)));

/**
 * Trains a model for some steps, goes on in PyTorch, and goes on here with what PyTorch saved.
 *
 * @param python - an interpreter that can import torch
 */
export async function thereAndBack(python: string): Promise<Journey> {
  nn.manualSeed(1);
  const folder = mkdtempSync(join(tmpdir(), 'distributed-'));
  const data = tf.tidy(() => {
    const x = tf.randomNormal([64, 8], 0, 1, 'float32', 1);
    return { x, y: tf.sin(tf.sum(x, 1, true)) };
  });
  const [model, twin, returned] = [makeModel(), makeModel(), makeModel()];
  try {
    const here = await train(model, data);
    // Torch before 2.1 knows the legacy names only; later versions know both.
    await saveCheckpoint(model, join(folder, 'model.safetensors'), { keyFormat: 'legacy' });
    const texts = { x: await data.x.array(), y: await data.y.array() };
    writeFileSync(join(folder, 'data.json'), JSON.stringify(texts));
    const script = fileURLToPath(new URL('train.py', import.meta.url));
    const output = execFileSync(python, [script, folder, String(steps), String(learningRate)], {
      encoding: 'utf8',
    });
    const there = JSON.parse(output) as number[];
    await loadCheckpoint(returned, join(folder, 'trained.pt'));
    const restored = await isStateOf(returned, join(folder, 'trained.pt'));
    const back = await train(returned, data);
    await loadCheckpoint(twin, join(folder, 'model.safetensors'));
    const stayed = [...(await train(twin, data)), ...(await train(twin, data))];
    return { here, there, back, stayed, restored };
  } finally {
    for (const module of [model, twin, returned]) module.dispose();
    tf.dispose(data);
    rmSync(folder, { recursive: true });
  }
}

/** Gradient descent on all data; the losses before each step and after the last. */
async function train(model: nn.Sequential, { x, y }: { x: tf.Tensor; y: tf.Tensor }): Promise<number[]> {
  const optimizer = tf.train.sgd(learningRate);
  const lossOf = (): tf.Scalar => tf.losses.meanSquaredError(y, model.call(x) as tf.Tensor);
  const losses: number[] = [];
  for (let step = 0; step <= steps; step++) {
    const loss = step === steps ? tf.tidy(lossOf) : optimizer.minimize(lossOf, true, model.parameters())!;
    losses.push((await loss.data())[0]!);
    loss.dispose();
  }
  optimizer.dispose();
  return losses;
}

/** Whether a model has exactly the tensors of a file of torch. */
async function isStateOf(model: nn.Module, path: string): Promise<boolean> {
  const { tensors } = readTorch(readFileSync(path));
  const state = model.stateDict({ keyFormat: 'legacy' });
  let same = Object.keys(state).length === Object.keys(tensors).length;
  for (const [name, tensor] of Object.entries(tensors)) {
    const [saved, loaded] = [await tensor.data(), (await state[name]?.data()) ?? []];
    same &&= saved.length === loaded.length && saved.every((value, i) => Object.is(value, loaded[i]));
  }
  tf.dispose(tensors);
  return same;
}
