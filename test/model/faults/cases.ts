import * as tf from '@tensorflow/tfjs';
import {
  catalog,
  describe,
  insertParametrization,
  nn,
  orthogonal,
  type ParametrizeReport,
  parametrizationsOn,
  parametrize,
  pure,
  type Recipe,
  removeParametrization,
  reorderParametrizations,
  replaceParametrization,
  spectralNorm,
  unitNorm,
  weightNorm,
} from 'tfjs-parametrize';
import { saveCheckpoint } from 'tfjs-parametrize/checkpoint';
import { transaction } from '../../../src/parametrize/transaction.ts';
import { shifted } from './models.ts';

/** A model that is ready for a call, and the call. */
export interface Case {
  readonly model: nn.Module | tf.Sequential;
  readonly act: () => unknown;
  /** What belongs to the case, besides the model. */
  readonly dispose?: () => void;
  /** What else must not change. */
  readonly also?: readonly object[];
}

/** The catalog of the cases. */
export const all = { ...catalog, shifted };

const moduleRules = [
  { match: 'head', apply: null },
  { type: nn.ConvTranspose1d, apply: weightNorm, options: { dim: 1 } },
  { type: [nn.Conv1d, nn.Linear], exclude: '**.last', apply: weightNorm },
  { type: nn.Conv2d, apply: spectralNorm },
  { match: '**.last', apply: orthogonal, options: { orthogonalMap: 'cayley' } },
  { type: nn.GRU, name: ['weight_hh_l0', 'weight_ih_l0'], apply: spectralNorm },
  { type: nn.Embedding, apply: unitNorm },
  { match: '**.first', apply: shifted, options: { scale: 0.5 } },
  { match: '**.first', apply: spectralNorm },
] as const;

const layerRules = [
  { match: 'dense{0..9}', apply: null },
  { match: 'dense{10..30}', name: 'kernel', apply: weightNorm },
  { match: 'dense{20..30}', apply: spectralNorm },
  { match: 'dense{31..34}', name: 'kernel', apply: orthogonal },
  { match: 'dense{31..46}', name: 'kernel', apply: shifted },
  { match: '**.cell', name: ['kernel', 'recurrentKernel'], apply: unitNorm },
  { match: 'conv', name: 'kernel', apply: weightNorm },
] as const;

/** The recipe of a rule-made model, with a chain inside of a chain. */
export const recipeFor = (model: Case['model'], prefix: string, tensor: string): Recipe => {
  const { recipe } = parametrize(
    model,
    (model instanceof nn.Module ? moduleRules : layerRules) as typeof moduleRules,
    { dryRun: true },
  );
  const inner = {
    path: `${prefix}.parametrizations.${tensor}`,
    tensor: 'original1',
    steps: [{ kind: 'spectralNorm', options: { nPowerIterations: 1 } }],
  };
  return JSON.parse(
    JSON.stringify({ ...recipe, parametrizations: [...recipe.parametrizations, inner] }),
  ) as Recipe;
};

/** Registers by the rules. */
export const ruled = (model: Case['model']): ParametrizeReport =>
  parametrize(model, (model instanceof nn.Module ? moduleRules : layerRules) as typeof moduleRules);

/** Edits of every kind on every tensor, as far as its chain has them, in one transaction. */
export function editAll(tensors: readonly [object, string][]): void {
  transaction(() => {
    for (const [i, [host, name]] of tensors.entries()) {
      const list = parametrizationsOn(host, name);
      const squared = list.shape.length === 2 && list.shape[0] === list.shape[1];
      const isSingle = list.originalNames.length === 1;
      insertParametrization(host, name, pure(tf.tanh), { at: list.length });
      if (squared) insertParametrization(host, name, pure(tf.neg), { after: 0 });
      if (isSingle) {
        insertParametrization(
          host,
          name,
          { forward: (x) => tf.mul(x, 2), rightInverse: (x) => tf.div(x, 2) },
          { at: 0 },
        );
        removeParametrization(host, name, 1, { keep: i % 2 === 0 ? 'value' : 'originals' });
      }
      removeParametrization(host, name, -1, { keep: 'originals' });
      if (squared && isSingle && list.length > 1) {
        reorderParametrizations(host, name, [...list.steps.keys()].reverse(), { keep: 'originals' });
      }
      if (i % 5 === 0 && (isSingle || list.length > 1))
        replaceParametrization(host, name, -1, pure(tf.abs), { keep: 'originals' });
      if (i % 7 === 0) removeParametrization(host, name, 0, { keep: isSingle ? 'originals' : 'value' });
    }
  });
}

/** The parametrized tensors of a model. */
export const tensorsOf = (model: object, hostAt: (path: string) => object): [object, string][] =>
  describe(model).rows.map(({ path, tensor }) => [hostAt(path), tensor]);

/** Writes a checkpoint with a recipe into memory. */
export async function fileOf(
  model: Case['model'],
  options: Parameters<typeof saveCheckpoint>[2] = {},
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const stream = new WritableStream<Uint8Array>({ write: (part) => void parts.push(part.slice()) });
  await saveCheckpoint(model as nn.Module, stream, options);
  return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
}

/** Disposes a model of tf.layers with its optimizer. */
export function disposeLayers(model: tf.Sequential): void {
  model.optimizer?.dispose();
  model.dispose();
}
