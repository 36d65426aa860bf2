import * as tf from '@tensorflow/tfjs';
import {
  applyRecipe,
  catalog,
  copyInto,
  describe,
  fold,
  groupOptimizer,
  initializeFromBatch,
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
  without,
} from 'tfjs-parametrize';
import { loadCheckpoint, saveCheckpoint } from 'tfjs-parametrize/checkpoint';
import { constraintsToParametrizations, syncModel } from 'tfjs-parametrize/layers';
import { transaction } from '../../../src/parametrize/transaction.ts';
import { layersNetwork, Network, shifted } from './models.ts';

/** A model that is ready for a call, and the call. */
export interface Case {
  readonly model: nn.Module | tf.Sequential;
  readonly act: () => unknown;
  /** What belongs to the case, besides the model. */
  readonly dispose?: () => void;
  /** False for a call that assigns and makes variables without a transaction, after all that can fail. */
  readonly inCommit?: boolean;
  /** What else must not change. */
  readonly also?: readonly object[];
}

const all = { ...catalog, shifted };

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
const recipeFor = (model: Case['model'], prefix: string, tensor: string): Recipe => {
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

const ruled = (model: Case['model']): ParametrizeReport =>
  parametrize(model, (model instanceof nn.Module ? moduleRules : layerRules) as typeof moduleRules);

/** Edits of every kind on every tensor, as far as its chain has them, in one transaction. */
function editAll(tensors: readonly [object, string][]): void {
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

const tensorsOf = (model: object, hostAt: (path: string) => object): [object, string][] =>
  describe(model).rows.map(({ path, tensor }) => [hostAt(path), tensor]);

const moduleTensors = (model: Network): [object, string][] => {
  const hosts = new Map(model.namedModules());
  return tensorsOf(model, (path) => hosts.get(path)!);
};

const layerTensors = (model: tf.Sequential): [object, string][] =>
  tensorsOf(model, (path) =>
    path
      .split('.')
      .slice(1)
      .reduce(
        (host, part) => (host as Record<string, object>)[part]!,
        model.getLayer(path.split('.')[0]!) as object,
      ),
  );

/** Writes a checkpoint with a recipe into memory. */
async function fileOf(model: Case['model']): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const stream = new WritableStream<Uint8Array>({ write: (part) => void parts.push(part.slice()) });
  await saveCheckpoint(model as nn.Module, stream);
  return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
}

/** Calls that change many tensors at once, on modules. */
export const moduleCases: Readonly<Record<string, () => Promise<Case> | Case>> = {
  'parametrize on modules': () => {
    const model = new Network();
    return { model, act: () => ruled(model) };
  },
  'parametrize that replaces steps': () => {
    const model = new Network();
    parametrize(model, [{ type: [nn.Linear, nn.Conv1d], apply: unitNorm }]);
    const act = () =>
      parametrize(model, [
        {
          type: [nn.Linear, nn.Conv1d],
          apply: unitNorm,
          options: { axis: 1 },
          onConflict: 'replace',
        },
      ]);
    return { model, act };
  },
  'applyRecipe on modules': () => {
    const model = new Network();
    const recipe = recipeFor(model, 'blocks.1.conv', 'weight');
    return { model, act: () => applyRecipe(model, recipe, { catalog: all }) };
  },
  'edits in a transaction on modules': () => {
    const model = new Network();
    ruled(model);
    return { model, act: () => editAll(moduleTensors(model)) };
  },
  'undo on modules': () => {
    const model = new Network();
    const report = ruled(model);
    return { model, act: () => report.undo() };
  },
  'fold on modules': () => {
    const model = new Network();
    ruled(model);
    return { model, act: () => fold(model), inCommit: false };
  },
  'loadCheckpoint with a recipe on modules': async () => {
    const source = new Network();
    ruled(source);
    const file = await fileOf(source);
    source.dispose();
    const model = new Network();
    return { model, act: () => loadCheckpoint(model, file, { catalog: all }) };
  },
  'copyInto on modules': () => {
    const [model, source] = [new Network(), new Network()];
    for (const one of [model, source]) ruled(one);
    return {
      model,
      act: () => copyInto(model, source, { decay: 0.5 }),
      also: [source],
      inCommit: false,
      dispose: () => source.dispose(),
    };
  },
  'initializeFromBatch on modules': () => {
    const model = new Network();
    parametrize(model, [{ type: nn.Linear, apply: weightNorm }]);
    const batch = tf.randomNormal([4, 3], 0, 1, 'float32', 3);
    const reached = { match: ['**.first', '**.last', 'head'] };
    return {
      model,
      act: () => initializeFromBatch(model, batch, reached),
      dispose: () => batch.dispose(),
    };
  },
  'sync of an optimizer of groups on modules': () => {
    const model = new Network();
    const parts = [tf.train.adam(0.01), tf.train.momentum(0.01, 0.9)] as const;
    const optimizer = groupOptimizer(model, [
      { match: 'blocks.{0..3}.**', optimizer: parts[0] },
      { optimizer: parts[1] },
    ]);
    const loss = () =>
      tf.addN(model.parameters().map((variable) => tf.sum(tf.square(variable as tf.Tensor)))) as tf.Scalar;
    optimizer.minimize(loss);
    ruled(model);
    return {
      model,
      act: () => optimizer.sync(),
      also: [optimizer],
      dispose: () => {
        optimizer.dispose();
        (parts[1] as unknown as { c: tf.Tensor }).c.dispose();
      },
    };
  },
  'without on modules': () => {
    const model = new Network();
    ruled(model);
    const act = () =>
      without(model, { step: 'spectralNorm' }, () => tf.tidy(() => void model.call(tf.ones([1, 3]))));
    return { model: model.eval(), act };
  },
};

/** A step of the optimizer with gradients of one, so that every weight has moments: wasm lacks some gradients. */
function trained(model: tf.Sequential): void {
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  tf.tidy(() =>
    model.optimizer.applyGradients(variables.map(({ name, shape }) => ({ name, tensor: tf.ones(shape) }))),
  );
}

const compiled = async (prepare: (model: tf.Sequential) => void = () => {}): Promise<tf.Sequential> => {
  const model = await layersNetwork();
  prepare(model);
  syncModel(model);
  trained(model);
  return model;
};

/** The same on a model of tf.layers. */
export const layerCases: Readonly<Record<string, () => Promise<Case>>> = {
  'parametrize on layers': async () => {
    const model = await compiled();
    return { model, act: () => ruled(model) };
  },
  'applyRecipe on layers': async () => {
    const model = await compiled();
    const recipe = recipeFor(model, 'dense12', 'kernel');
    return { model, act: () => applyRecipe(model, recipe, { catalog: all }) };
  },
  'edits in a transaction on layers': async () => {
    const model = await compiled(ruled);
    return { model, act: () => editAll(layerTensors(model)) };
  },
  'undo on layers': async () => {
    const model = await compiled();
    const report = ruled(model);
    trained(model);
    return { model, act: () => report.undo() };
  },
  'fold on layers': async () => {
    const model = await compiled(ruled);
    return { model, act: () => fold(model), inCommit: false };
  },
  'loadCheckpoint with a recipe on layers': async () => {
    const source = await layersNetwork();
    ruled(source);
    const file = await fileOf(source);
    disposeLayers(source);
    const model = await compiled();
    return { model, act: () => loadCheckpoint(model, file, { catalog: all }) };
  },
  constraintsToParametrizations: async () => {
    const model = await compiled();
    return { model, act: () => constraintsToParametrizations(model) };
  },
};

/** Disposes a model of tf.layers with its optimizer. */
export function disposeLayers(model: tf.Sequential): void {
  model.optimizer?.dispose();
  model.dispose();
}
