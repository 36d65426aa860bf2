import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, inject, it } from 'vitest';
import {
  type CheckpointSource,
  loadCheckpoint,
  openSafetensors,
  openTorch,
  type Progress,
  readSafetensors,
  saveCheckpoint,
  writeSafetensors,
} from '../../src/checkpoint/index.ts';
import { nn, orthogonal, weightNorm } from '../../src/index.ts';

const url = (manner: string, path: string): string => `${inject('fileServer')}/${manner}/${path}`;
const network = 'networks/mnist_cnn_weight_norm';

const model = (): nn.Sequential =>
  new nn.Sequential(weightNorm(new nn.Linear(3, 4)), orthogonal(new nn.Linear(4, 4)), new nn.BatchNorm1d(4));
const plain = (): nn.Sequential =>
  new nn.Sequential(new nn.Linear(3, 4), new nn.Linear(4, 4), new nn.BatchNorm1d(4));

async function valuesOf(module: nn.Module, keyFormat: nn.KeyFormat): Promise<Record<string, number[]>> {
  const state = module.stateDict({ keyFormat });
  const values: Record<string, number[]> = {};
  for (const [key, tensor] of Object.entries(state)) values[key] = [...(await tensor.data())];
  if (keyFormat === 'folded') tf.dispose(state);
  return values;
}

// What Node.js has not, or has otherwise.
describe.runIf(typeof indexedDB !== 'undefined')('in a browser', () => {
  it.each(['indexeddb', 'localstorage'])(
    'a module is saved to %s and loaded from it, bit for bit',
    async (scheme) => {
      const [saved, again, registered, folded] = [model(), model(), plain(), plain()];
      const target = `${scheme}://module`;
      await saveCheckpoint(saved, target);
      await loadCheckpoint(again, target);
      expect(await valuesOf(again, 'modern')).toEqual(await valuesOf(saved, 'modern'));
      await loadCheckpoint(registered, target, { catalog: { weightNorm, orthogonal } });
      expect(await valuesOf(registered, 'modern')).toEqual(await valuesOf(saved, 'modern'));
      await saveCheckpoint(saved, `${scheme}://plain`, { keyFormat: 'folded' });
      await loadCheckpoint(folded, `${scheme}://plain`);
      expect(await valuesOf(folded, 'modern')).toEqual(await valuesOf(saved, 'folded'));
      expect(Object.keys(await tf.io.listModels())).toEqual(
        expect.arrayContaining([target, `${scheme}://plain`]),
      );
      for (const name of ['module', 'plain']) await tf.io.removeModel(`${scheme}://${name}`);
      await expect(loadCheckpoint(again, target)).rejects.toThrow();
      for (const module of [saved, again, registered, folded]) module.dispose();
    },
  );

  it('a module is saved to downloads, as files from which it is loaded', async () => {
    const [saved, again] = [model(), model()];
    const files: Promise<File>[] = [];
    // A page cannot look into the folder of the downloads: the links tell what would be there.
    const { dispatchEvent } = HTMLAnchorElement.prototype;
    HTMLAnchorElement.prototype.dispatchEvent = function (this: HTMLAnchorElement): boolean {
      const { download, href } = this;
      files.push(fetch(href).then(async (response) => new File([await response.blob()], download)));
      return true;
    };
    try {
      await saveCheckpoint(saved, 'downloads://module');
    } finally {
      HTMLAnchorElement.prototype.dispatchEvent = dispatchEvent;
    }
    const downloaded = await Promise.all(files);
    expect(downloaded.map(({ name }) => name)).toEqual(['module.json', 'module.weights.bin']);
    await loadCheckpoint(again, tf.io.browserFiles(downloaded));
    expect(await valuesOf(again, 'modern')).toEqual(await valuesOf(saved, 'modern'));
    await expect(loadCheckpoint(again, 'downloads://module')).rejects.toMatchObject({ code: 'OPTION' });
    saved.dispose();
    again.dispose();
  });

  it('what only Node.js can do is refused: a path to write to, a file: URL to read', async () => {
    const layer = new nn.Linear(1, 1);
    await expect(saveCheckpoint(layer, 'model.safetensors')).rejects.toMatchObject({ code: 'OPTION' });
    await expect(openSafetensors('file:///model.safetensors')).rejects.toMatchObject({ code: 'UNREADABLE' });
    layer.dispose();
  });

  describe.each(['pt', 'safetensors'])('a file .%s', (ending) => {
    const path = `${network}.${ending}`;
    const open = ending === 'pt' ? openTorch : openSafetensors;
    const bytes = async (): Promise<ArrayBuffer> => (await fetch(url('whole', path))).arrayBuffer();
    const sources: [string, () => CheckpointSource | Promise<CheckpointSource>][] = [
      ['a Blob', async () => new Blob([await bytes()])],
      ['a File', async () => new File([await bytes()], 'model')],
      ['a Response', () => fetch(url('whole', path))],
      ['a URL with ranges', () => new URL(url('ranges', path))],
      ['a URL without ranges', () => url('whole', path)],
      ['a URL whose ranges are hidden', () => url('hidden', path)],
      ['a blob: URL', async () => URL.createObjectURL(new Blob([await bytes()]))],
    ];

    it.each(sources)('is opened and read from %s, tensor by tensor', async (_, source) => {
      const whole = await open(await bytes());
      const progress: Progress[] = [];
      const file = await open(await source(), { onProgress: (step) => void progress.push(step) });
      expect(file.names).toEqual(whole.names);
      for (const name of [...file.names].reverse()) {
        expect(await file.read(name), name).toEqual(await whole.read(name));
      }
      expect(progress.at(-1)!.loaded).toBeGreaterThan(40_000);
      await file.close();
      await whole.close();
    });
  });

  it('of a URL with ranges no more is asked for than is wanted', async () => {
    const asked: string[] = [];
    const { fetch: original } = globalThis;
    globalThis.fetch = (input, init) => {
      asked.push(new Headers(init?.headers).get('Range') ?? 'all');
      return original(input, init);
    };
    try {
      const file = await openTorch(url('ranges', 'networks/mnist_cnn_weight_norm.full.pt'));
      await file.read('model.features.0.weight_g');
      await file.close();
    } finally {
      globalThis.fetch = original;
    }
    expect(asked.length).toBeLessThanOrEqual(4);
    expect(asked).not.toContain('all');
  });

  it('what a stream was given is read again', async () => {
    const saved = model();
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const [response] = await Promise.all([
      new Response(readable as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer(),
      saveCheckpoint(saved, writable),
    ]);
    const { tensors } = readSafetensors(response);
    expect(Object.keys(tensors).sort()).toEqual(Object.keys(saved.stateDict()).sort());
    const written = await writeSafetensors(tensors, { format: 'pt' });
    expect(written.length).toBeGreaterThan(100);
    tf.dispose(tensors);
    saved.dispose();
  });
});
