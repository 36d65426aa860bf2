import type * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { loadCheckpoint, saveCheckpoint } from '../../../src/checkpoint/index.ts';
import { nn, orthogonal, skew, spectralNorm, weightNorm } from '../../../src/index.ts';
import { catalog } from '../../../src/model/catalog.ts';

// Each error names a remedy; what it says is done, and works.

/** Something of `tf.io` that keeps what it is given. */
function memory(): tf.io.IOHandler {
  let saved: tf.io.ModelArtifacts | undefined;
  return {
    save: async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    },
    load: async () => saved!,
  };
}

async function messageOf(loading: Promise<unknown>): Promise<string> {
  return loading.then(
    () => 'loaded',
    (error: Error) => error.message,
  );
}

describe('the error of a state dict', () => {
  it('that is normalized along other axes names the dim, which works, and so does the folded key format', async () => {
    const saved = weightNorm(new nn.Linear(3, 2), 'weight', { dim: 1 });
    const [file, folded] = [memory(), memory()];
    await saveCheckpoint(saved, file);
    await saveCheckpoint(saved, folded, { keyFormat: 'folded' });
    const model = weightNorm(new nn.Linear(3, 2));
    const message = await messageOf(loadCheckpoint(model, file));
    expect(message).toMatch(
      /^loadCheckpoint: the file does not fit Linear: .*shape \[1, 3\] in the file and \[2, 1\]/,
    );
    expect(message).toContain("register it with { dim: 1 }, or save the map with { keyFormat: 'folded' }.");
    expect(message).not.toContain('strict');
    const other = weightNorm(new nn.Linear(3, 2), 'weight', { dim: 1 });
    await loadCheckpoint(other, file);
    await loadCheckpoint(model, folded);
    for (const module of [other, model]) {
      expect(module.weight).toBeAllClose(saved.weight, { relative: 1e-5 });
    }
    for (const module of [saved, model, other]) module.dispose();
  });

  it('with one norm for all elements names dim: null', async () => {
    const saved = weightNorm(new nn.Linear(3, 2), 'weight', { dim: null });
    const file = memory();
    await saveCheckpoint(saved, file);
    const model = weightNorm(new nn.Linear(3, 2));
    expect(await messageOf(loadCheckpoint(model, file))).toContain('register it with { dim: null }');
    for (const module of [saved, model]) module.dispose();
  });

  it('of a spectral norm along another axis names the dim', () => {
    const saved = spectralNorm(new nn.Linear(3, 2), 'weight', { dim: 1 });
    const model = spectralNorm(new nn.Linear(3, 2));
    expect(() => model.loadStateDict(saved.stateDict())).toThrow('register it with { dim: 1 }');
    for (const module of [saved, model]) module.dispose();
  });

  it('with a parametrization that the module lacks says to register first or to pass a catalog, and both work', async () => {
    const saved = orthogonal(new nn.Linear(3, 3));
    const file = memory();
    await saveCheckpoint(saved, file);
    const model = new nn.Linear(3, 3);
    const message = await messageOf(loadCheckpoint(model, file));
    expect(message).toContain("'weight' is parametrized in the map: register the same parametrization first");
    expect(message).not.toContain('strict');
    const registered = orthogonal(new nn.Linear(3, 3));
    await loadCheckpoint(registered, file);
    await loadCheckpoint(model, file, { catalog });
    for (const module of [registered, model]) expect(module.weight).toBeAllClose(saved.weight);
    for (const module of [saved, model, registered]) module.dispose();
  });

  it('of another layer size does not promise that strict: false helps alone', () => {
    const [saved, model] = [new nn.Linear(3, 2), new nn.Linear(4, 2)];
    expect(() => model.loadStateDict(saved.stateDict())).toThrow(
      /Make the module with the shapes of the map, or leave 'weight' out and pass \{ strict: false \}\.$/,
    );
    const { weight: _, ...others } = saved.stateDict();
    model.loadStateDict(others, { strict: false });
    expect(model.bias!).toBeAllClose(saved.bias!);
    for (const module of [saved, model]) module.dispose();
  });

  it('that lacks a key says strict: false, and it helps', () => {
    const model = new nn.Linear(3, 2);
    const { weight } = model.stateDict();
    expect(() => model.loadStateDict({ weight: weight! })).toThrow(
      'Pass { strict: false } to allow missing and unexpected keys.',
    );
    model.loadStateDict({ weight: weight! }, { strict: false });
    model.dispose();
  });

  it('with a prefix names the prefix', () => {
    const model = new nn.Linear(3, 2);
    const state = Object.fromEntries(
      Object.entries(model.stateDict()).map(([key, tensor]) => [`module.${key}`, tensor]),
    );
    expect(() => model.loadStateDict(state)).toThrow(
      "The keys of the map begin with 'module.': take it off.",
    );
    model.dispose();
  });

  it('that has nothing of the module does not say strict: false, which would load nothing', () => {
    const model = new nn.Linear(3, 2);
    const { weight } = model.stateDict();
    expect(() => model.loadStateDict({ kernel: weight! })).toThrow(
      'The map has no key of the module: rename its keys',
    );
    expect(() => model.loadStateDict({ kernel: weight! })).not.toThrow('strict');
    model.dispose();
  });

  it('in several key formats says to leave all but one out', () => {
    const [saved, model] = [weightNorm(new nn.Linear(3, 2)), new nn.Linear(3, 2)];
    const both = {
      ...saved.stateDict({ keyFormat: 'legacy' }),
      ...saved.stateDict({ keyFormat: 'modern' }),
      bias: saved.bias!,
    };
    expect(() => model.loadStateDict(both)).toThrow(
      /several key formats: .*Leave all but one of them out\.$/,
    );
    for (const module of [saved, model]) module.dispose();
  });
});

describe('an error of loading has its parts, and', () => {
  it('the function that was called, also where a module is below itself', async () => {
    const model = new nn.Sequential(new nn.Linear(2, 2));
    (model as unknown as { self: nn.Module }).self = model;
    const failures = [
      () => loadCheckpoint(model, new Uint8Array(0)),
      () => saveCheckpoint(model, memory()),
      async () => void model.stateDict(),
    ];
    for (const [i, run] of failures.entries()) {
      const caller = ['loadCheckpoint', 'saveCheckpoint', 'stateDict'][i]!;
      await expect(run()).rejects.toMatchObject({
        code: 'CYCLE',
        caller,
        fact: expect.stringContaining("'self' of this Sequential"),
        message: expect.stringMatching(new RegExp(`^${caller}: 'self'.*\\{ parent \\}\\.$`)),
      });
    }
    (model as unknown as { self?: nn.Module }).self = undefined as never;
    model.dispose();
  });

  it('a fact and a remedy, of which the message is made', async () => {
    const model = new nn.Linear(3, 2);
    const failure = await loadCheckpoint(model, new Uint8Array(0)).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      caller: 'loadCheckpoint',
      fact: 'this is not a checkpoint: it is empty',
      remedy: 'Get it again.',
      message: 'loadCheckpoint: this is not a checkpoint: it is empty. Get it again.',
    });
    model.dispose();
  });
});

it('the key format modern loads the originals themselves, without a right inverse', () => {
  const saved = skew(new nn.Linear(3, 3));
  const model = skew(new nn.Linear(3, 3));
  model.loadStateDict(saved.stateDict({ keyFormat: 'modern' }));
  expect(model.weight).toBeAllClose(saved.weight);
  for (const module of [saved, model]) module.dispose();
});
