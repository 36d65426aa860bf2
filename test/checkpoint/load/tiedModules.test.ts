import * as tf from '@tensorflow/tfjs';
import { catalog, nn, recipeOf, spectralNorm, tie, weightNorm } from 'tfjs-parametrize';
import { loadCheckpoint, type SaveCheckpointOptions, saveCheckpoint } from 'tfjs-parametrize/checkpoint';
import { describe, expect, it } from 'vitest';

class Language extends nn.Module {
  embedding = new nn.Embedding(5, 3);
  decoder = new nn.Linear(3, 5);
  other = new nn.Linear(5, 3);

  forward(): void {}
}

type Format = SaveCheckpointOptions['keyFormat'];

function tied(parametrize: (model: Language) => unknown = () => 0): Language {
  const model = new Language();
  tie(model.decoder, 'weight', model.embedding);
  tie(model.other, 'weight', model.embedding, 'weight', { transpose: true });
  parametrize(model);
  return model.eval();
}

async function stored(model: nn.Module, keyFormat: Format): Promise<tf.io.IOHandler> {
  let artifacts: tf.io.ModelArtifacts | undefined;
  const save = async (given: tf.io.ModelArtifacts): Promise<tf.io.SaveResult> => {
    artifacts = given;
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
  };
  await saveCheckpoint(model, { save }, keyFormat === undefined ? {} : { keyFormat });
  return { load: async () => artifacts! };
}

function expectSame(a: Language, b: Language, absolute = 1e-6): void {
  for (const name of ['embedding', 'decoder', 'other'] as const) {
    tf.tidy(() => {
      expect(a[name].weight).toBeAllClose(b[name].weight, { absolute });
    });
  }
}

const formats: Format[] = [undefined, 'modern', 'legacy', 'folded'];
const sources: [string, (model: Language) => unknown][] = [
  ['plain', () => 0],
  ['weight-normalized', (model) => weightNorm(model.embedding, 'weight')],
  ['spectral', (model) => spectralNorm(model.embedding, 'weight')],
];
const cases = sources.flatMap(([name, parametrize]) =>
  formats.map((format) => [name, format, parametrize] as const),
);

describe('a checkpoint of a module with tied tensors', () => {
  it.each(cases)('of a %s source in the format %s loads into the same', async (name, format, parametrize) => {
    const [model, again] = [tied(parametrize), tied(parametrize)];
    await loadCheckpoint(again, await stored(model, format));
    // The plain weight has no vectors: 15 iterations from random ones find σ again, nearly.
    expectSame(again, model, name === 'spectral' && format === 'folded' ? 0.02 : undefined);
    expect(recipeOf(again)).toEqual(recipeOf(model));
    model.dispose();
    again.dispose();
  });

  it.each(cases)(
    'of a %s source in the format %s ties a plain module',
    async (_name, format, parametrize) => {
      const [model, again] = [tied(parametrize), new Language().eval()];
      const file = await stored(model, format);
      const report = await loadCheckpoint(again, file, { catalog });
      expectSame(again, model);
      const isTied = format !== 'folded';
      expect(report.registered.includes('decoder.weight')).toBe(isTied);
      expect(recipeOf(again)).toEqual(isTied ? recipeOf(model) : { version: 1, parametrizations: [] });
      model.dispose();
      again.dispose();
    },
  );

  it('ties the part of the model that a prefix or a renaming tells', async () => {
    const whole = new nn.ModuleDict({ text: tied((model) => weightNorm(model.embedding, 'weight')) });
    const file = await stored(whole, undefined);
    const again = new Language();
    await loadCheckpoint(again, file, { catalog, prefix: 'text' });
    expect(recipeOf(again)).toEqual(recipeOf(whole.get('text')!));
    class Renamed extends nn.Module {
      tokens = new nn.Embedding(5, 3);
      head = new nn.Linear(3, 5);

      forward(): void {}
    }
    const renamed = new Renamed();
    const rename = { embedding: 'tokens', decoder: 'head', other: null };
    const plain = new Language();
    tie(plain.decoder, 'weight', plain.embedding);
    await loadCheckpoint(renamed, await stored(plain, undefined), { catalog, rename });
    expect(recipeOf(renamed).parametrizations).toEqual([
      { path: 'head', tensor: 'weight', steps: [], tiedTo: { path: 'tokens', tensor: 'weight' } },
    ]);
    for (const one of [whole, again, renamed, plain]) one.dispose();
  });

  it('is refused by a module without the source, with everything unchanged', async () => {
    const model = tied((all) => weightNorm(all.embedding, 'weight'));
    const file = await stored(model, undefined);
    class Small extends nn.Module {
      embedding = new nn.Embedding(5, 3);
      decoder = new nn.Linear(3, 5);

      forward(): void {}
    }
    const small = new Small();
    await expect(loadCheckpoint(small, file, { catalog, strict: false })).rejects.toThrow(
      "'other.weight' was tied, and the model has no module 'other'",
    );
    expect(recipeOf(small).parametrizations).toEqual([]);
    small.dispose();
    model.dispose();
  });
});
