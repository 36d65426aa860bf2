import * as tf from '@tensorflow/tfjs';
import { initialize, nn, tie, valueOf, weightNorm } from 'tfjs-parametrize';
import 'tfjs-parametrize/layers';
import { describe, expect, it } from 'vitest';
import {
  loadCheckpoint,
  readSafetensors,
  saveCheckpoint,
  writeSafetensors,
} from '../../../src/checkpoint/index.ts';
import { disposeModel } from '../../layers/layerCases.ts';
import { differences, photograph } from '../../model/faults/photograph.ts';

/** A model with a tied tensor. */
interface Tied {
  readonly model: nn.Module | tf.Sequential;
  /** The source, in the model. */
  readonly host: object;
  readonly name: string;
  /** The keys in a state dict. */
  readonly keys: readonly [source: string, tied: string];
  /** True if torch has one tensor and its transpose. */
  readonly isTransposed: boolean;
}

class Pair extends nn.Module {
  first: nn.Linear;
  second: nn.Linear;
  constructor(inner: number) {
    super();
    this.first = new nn.Linear(3, inner);
    this.second = new nn.Linear(inner, 3);
  }
  forward(x: tf.Tensor): tf.Tensor {
    return this.second.call(this.first.call(x));
  }
}

const keys = ['first.weight', 'second.weight'] as const;

const modules =
  (inner: number, isTransposed: boolean) =>
  (isTied = true): Tied => {
    const model = new Pair(inner);
    if (isTied) tie(model.second, 'weight', model.first, 'weight', { transpose: isTransposed });
    return { model, host: model.first, name: 'weight', keys, isTransposed };
  };

const layers =
  (inner: number, transpose: boolean) =>
  (isTied = true): Tied => {
    const [first, second] = [
      tf.layers.dense({ units: inner, inputShape: [3], name: 'first' }),
      tf.layers.dense({ units: 3, name: 'second' }),
    ];
    const model = tf.sequential({ layers: [first, second] });
    if (isTied) tie(second, 'kernel', first, 'kernel', { transpose });
    return { model, host: first, name: 'kernel', keys, isTransposed: transpose };
  };

/** A dense layer with the weight of an embedding, whose layout in torch is the transpose of that of tfjs. */
const language =
  (vocabulary: number, transpose: boolean, isShared = false) =>
  (isTied = true): Tied => {
    const [first, second] = [
      tf.layers.embedding({ inputDim: vocabulary, outputDim: 3, inputLength: 2, name: 'first' }),
      tf.layers.dense({ units: vocabulary, name: 'second' }),
    ];
    const model = tf.sequential({ layers: [first, second] });
    if (isTied && isShared) {
      (second.weights[0]!.read() as tf.Variable).dispose();
      Object.assign(second, { kernel: first.weights[0] });
    } else if (isTied) tie(second, 'kernel', first, 'embeddings', { transpose });
    return { model, host: first, name: 'embeddings', keys, isTransposed: !transpose };
  };

const kinds = {
  'modules, transposed': modules(2, true),
  'square modules, transposed': modules(3, true),
  modules: modules(3, false),
  'layers, transposed': layers(2, true),
  'square layers, transposed': layers(3, true),
  layers: layers(3, false),
  'an embedding and a dense layer, transposed': language(5, true),
  'a square embedding and a dense layer, transposed': language(3, true),
  'a square embedding and a dense layer': language(3, false),
} as const;

/** One variable in two fields of layers, without `tie`. */
const shared = { 'a square embedding and a dense layer with one weight': language(3, false, true) };

function dispose({ model }: Tied, isShared: boolean): void {
  if (model instanceof nn.Module) model.dispose();
  // tfjs would dispose the weight of both layers twice.
  else if (isShared) tf.dispose([valueOf(model.layers[0]!, 'embeddings'), valueOf(model.layers[1]!, 'bias')]);
  else disposeModel(model);
}

/** The tensors of a model in a file, where the source has no parametrization. */
async function stateOf({ model }: Tied): Promise<tf.NamedTensorMap> {
  const parts: Uint8Array[] = [];
  const stream = new WritableStream<Uint8Array>({ write: (part) => void parts.push(part.slice()) });
  await saveCheckpoint(model as nn.Module, stream, { keyFormat: 'folded' });
  return readSafetensors(new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer())).tensors;
}

/** g and v of the value of a tensor, with the norm of each row. */
const normalized = (key: string, value: tf.Tensor, isLegacy: boolean): tf.NamedTensorMap => {
  const dot = key.lastIndexOf('.') + 1;
  const [prefix, name] = [key.slice(0, dot), key.slice(dot)];
  const below = `${prefix}parametrizations.${name}.original`;
  const [g, v] = [tf.norm(value, 'euclidean', 1, true), tf.mul(value, 2)];
  return isLegacy
    ? { [`${prefix}${name}_g`]: g, [`${prefix}${name}_v`]: v }
    : { [`${below}0`]: g, [`${below}1`]: v };
};

const all = { ...kinds, ...shared };
const maps = { plain: () => undefined, weightNorm } as const;
const cases = Object.keys(all).flatMap((kind) =>
  Object.keys(maps)
    .filter((map) => map === 'plain' || kind in kinds)
    .map((map) => [kind as keyof typeof all, map as keyof typeof maps] as const),
);

describe('a file for a model with a tied tensor', () => {
  it.each(cases)('has either key, or both with equal values: %s, %s', async (kind, map) => {
    const from = all[kind]();
    const value = tf.tidy(() => tf.clone(valueOf(from.host, from.name)));
    const file = await stateOf(from);
    const [source, tied] = from.keys;
    const { [source]: own, [tied]: stored, ...rest } = file;
    const { isTransposed } = from;
    const other = stored ?? (isTransposed ? tf.transpose(own!) : tf.clone(own!));
    const wrong = tf.add(other, 1);
    const to = all[kind]();
    (maps[map] as (host: object, name: string) => unknown)(to.host, to.name);
    const target = to.model as nn.Module;
    const files = {
      both: { ...rest, [source]: own!, [tied]: other },
      'the source': { ...rest, [source]: own! },
      'the tied tensor': { ...rest, [tied]: other },
      'the tied tensor, modern': { ...rest, ...normalized(tied, other, false) },
      'the tied tensor, legacy': { ...rest, ...normalized(tied, other, true) },
    };
    for (const [what, tensors] of Object.entries(files)) {
      initialize(to.host, to.name, (shape) => tf.ones(shape));
      const report = await loadCheckpoint(target, await writeSafetensors(tensors));
      expect([report.missing, report.unexpected], what).toEqual([[], []]);
      expectValue(to, value, what);
      if (what === 'both') expect(report.ties).toEqual([[source, tied]]);
      if (what === 'the tied tensor')
        expect(report.mapped.flatMap(({ from: names }) => names)).toContain(tied);
      if (!(to.model instanceof nn.Module)) continue;
      initialize(to.host, to.name, (shape) => tf.ones(shape));
      to.model.loadStateDict(tensors);
      expectValue(to, value, what);
    }
    const before = photograph(to.model);
    for (const [what, tensors] of Object.entries({
      plain: { ...rest, [source]: own!, [tied]: wrong },
      modern: { ...rest, ...normalized(source, own!, false), [tied]: wrong },
      legacy: { ...rest, ...normalized(source, own!, true), [tied]: wrong },
    })) {
      const bytes = await writeSafetensors(tensors);
      for (const strict of [true, false]) {
        const names = what === 'plain' ? `'${source}' and '${tied}'` : ` and '${tied}'`;
        const expected = { code: 'STATE_DICT', message: expect.stringContaining(names) };
        await expect(loadCheckpoint(target, bytes, { strict }), what).rejects.toMatchObject(expected);
        if (to.model instanceof nn.Module) {
          const { model } = to;
          expect(() => model.loadStateDict(tensors, { strict }), what).toThrow(
            expect.objectContaining(expected),
          );
        }
      }
      tf.dispose(
        Object.values(tensors).filter((tensor) => ![own, wrong, ...Object.values(rest)].includes(tensor)),
      );
    }
    expect(differences(before, photograph(to.model))).toEqual([]);
    tf.dispose([file, other, wrong, value, files]);
    for (const one of [from, to]) dispose(one, kind in shared);
  });
});

function expectValue({ host, name }: Tied, value: tf.Tensor, what: string): void {
  tf.tidy(() => {
    expect(valueOf(host, name), what).toBeAllClose(value, { absolute: 1e-6 });
  });
}
