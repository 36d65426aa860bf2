import type { io, NamedTensorMap, Optimizer, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import { CheckpointError, corrupt, named, printable, quoted } from '../../checkpoint/checkpointError.ts';
import { followingRecipe } from '../../checkpoint/load/followingRecipe.ts';
import { restoringOptimizer, storedOptimizer } from '../../checkpoint/load/restoreOptimizer.ts';
import { recipeKey } from '../../checkpoint/metadata/recipeText.ts';
import { checkOptions } from '../../core/checkOptions.ts';
import { ParametrizeError, refusal } from '../../core/errors.ts';
import { isRecord } from '../../core/guards.ts';
import { typeName } from '../../core/text.ts';
import { loadTrainingConfig, type Model } from '../../engine/modelTraining.ts';
import { applyRecipe } from '../../model/recipes/applyRecipe.ts';
import { candidatesOf } from '../../model/select/candidate.ts';
import { modelVariables } from '../../model/select/modelVariables.ts';
import type { Catalog } from '../../stateDict/recipe.ts';
import { teachLayers } from '../teachLayers.ts';
import { type CheckedArtifacts, checkedArtifacts, nameOfOriginal } from './parametrizedArtifacts.ts';

const caller = 'loadParametrizedModel';

/** Options of {@link loadParametrizedModel}. */
export interface LoadParametrizedModelOptions {
  /** The functions that the recipe may name: `{ weightNorm }`, or `catalog` of the package. It calls nothing else. */
  readonly catalog: Catalog;
  /** The program's own classes of layers in the topology. They are registered with `tf.serialization`, and stay so. */
  readonly customObjects?: Readonly<
    Record<string, tf.serialization.SerializableConstructor<tf.serialization.Serializable>>
  >;
}

/**
 * Loads a model of tf.layers that `saveParametrizedModel` saved: topology, weights, parametrizations with their
 * originals and state, and of a compiled model the loss, the metrics and the optimizer with its state. Training goes on
 * as if it had not been interrupted.
 *
 * @remarks
 * **State**: an optimizer that was clipped comes without `clipGradients`, which its own state knows nothing of; compile
 * again with the wrapped `model.optimizer`.
 *
 * **Ownership**: the model belongs to the caller, and so does its optimizer, as after `tf.loadLayersModel`.
 *
 * @param source - an `IOHandler`, or a URL or path that `tf.loadLayersModel` takes
 * @param options - the catalog and the classes; see {@link LoadParametrizedModelOptions}
 * @returns the model
 * @throws {@link CheckpointError} `NOT_A_CHECKPOINT` for a model that was saved in another way, `CORRUPT`, `LIMIT`,
 * `UNKNOWN_RECIPE`
 * @throws {@link ParametrizeError} `OPTION`; and the codes of registrations
 * @example
 * ```ts
 * const model = await loadParametrizedModel('indexeddb://model', { catalog: { weightNorm } });
 * await model.fit(x, y);
 * ```
 */
export async function loadParametrizedModel(
  source: string | io.IOHandler,
  options: LoadParametrizedModelOptions,
): Promise<LayersModel> {
  teachLayers();
  checkOptions(caller, options, ['catalog', 'customObjects']);
  const { catalog, customObjects = {} } = options;
  if (!isRecord(catalog)) {
    throw refusal(
      'OPTION',
      caller,
      `catalog is ${typeName(catalog)}, it must be an object`,
      'Pass { catalog }.',
    );
  }
  registerClasses(customObjects);
  try {
    const checked = checkedArtifacts(await artifactsOf(source));
    const { specs, data } = checked;
    const isPlain = (name: string): boolean => !inOptimizerGroup.has(name);
    const inOptimizerGroup = new Set(
      specs.flatMap(({ name, group }) => (group === 'optimizer' ? [name] : [])),
    );
    const all = tf.io.decodeWeights(data, specs);
    const plainNames = Object.keys(all).filter(isPlain);
    try {
      const model = await modelFrom(checked);
      try {
        await makePlain(model, checked, pick(all, plainNames));
        restore(model, checked, all, catalog);
        return model;
      } catch (error) {
        model.optimizer?.dispose();
        model.dispose();
        throw error;
      }
    } finally {
      tf.dispose(all);
    }
  } catch (error) {
    throw named(caller, error);
  }
}

const pick = (tensors: NamedTensorMap, names: readonly string[]): NamedTensorMap =>
  Object.fromEntries(names.map((name) => [name, tensors[name]!]));

function registerClasses(classes: NonNullable<LoadParametrizedModelOptions['customObjects']>): void {
  if (!isRecord(classes)) {
    throw refusal('OPTION', caller, `customObjects is ${typeName(classes)}`, 'Pass { MyLayer }.');
  }
  for (const [name, cls] of Object.entries(classes)) {
    if (typeof cls !== 'function' || cls.className !== name) {
      throw refusal(
        'OPTION',
        caller,
        `customObjects has ${quoted(name)}, which is not the className of its class`,
        "Pass { MyLayer }, whose static className is 'MyLayer'.",
      );
    }
    tf.serialization.registerClass(cls);
  }
}

/** Loads the artifacts of a handler, or of a URL or path as `tf.loadLayersModel` takes it. */
async function artifactsOf(source: string | io.IOHandler): Promise<unknown> {
  const handler =
    typeof source === 'string'
      ? (tf.io.getLoadHandlers(source)[0] ?? tf.io.browserHTTPRequest(source))
      : source;
  if (typeof (handler as io.IOHandler | undefined)?.load !== 'function') {
    throw refusal('OPTION', caller, 'this IOHandler cannot load', 'Pass one with a load method, or a URL.');
  }
  return handler.load!();
}

/** Makes a model of the topology, whose weights have their initial values. */
async function modelFrom({ artifacts: { modelTopology } }: CheckedArtifacts): Promise<LayersModel> {
  const topology = { modelTopology: modelTopology!, format: 'layers-model' };
  return byTensorflow('make the model', () => loadLayersModel({ load: async () => topology }));
}

/** Loads the plain weights, and compiles the model as the saved one was. */
async function makePlain(
  model: LayersModel,
  { userMetadata, trainingConfig }: CheckedArtifacts,
  plain: NamedTensorMap,
): Promise<void> {
  await byTensorflow('load the weights', async () => model.loadWeights(plain, true));
  if (trainingConfig !== null) {
    await byTensorflow('compile the model', async () =>
      loadTrainingConfig(model as unknown as Model, trainingConfig),
    );
  }
  if (Object.keys(userMetadata).length > 0) model.setUserDefinedMetadata({ ...userMetadata });
}

/** Runs a function of tfjs on data from a file. Its errors are those of the file. */
async function byTensorflow<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    const [line = ''] = message.slice(0, 300).split('\n');
    throw new CheckpointError(
      'CORRUPT',
      `tfjs cannot ${what}: ${printable(line).replace(/[.:]$/, '')}`,
      'If a class is unknown, pass it in customObjects; otherwise the file is damaged: get it again.',
      { cause },
    );
  }
}

function restore(
  model: LayersModel,
  { metadata, originals }: CheckedArtifacts,
  tensors: NamedTensorMap,
  catalog: Catalog,
): void {
  const load = (): void => {
    followingRecipe(() => applyRecipe(model, metadata[recipeKey] ?? '', { catalog }));
    const variables = candidatesOf(caller, model)
      .flatMap(modelVariables)
      .filter(({ name }) => name !== null);
    const byKey = new Map(variables.map(({ key, variable }) => [key, variable]));
    if (byKey.size !== originals.length)
      throw corrupt('the recipe makes other originals than the saved ones');
    for (const [i, path] of originals.entries()) {
      assign(byKey.get(path), path, tensors[nameOfOriginal(i)]);
    }
  };
  const optimizer = model.optimizer as Optimizer | null | undefined;
  if (optimizer == null) {
    load();
    return;
  }
  const { notes } = storedOptimizer(optimizer, metadata, (name) => Object.hasOwn(tensors, name));
  const restoring = { caller, model, optimizer, strict: true, pathOf: (key: string) => key };
  restoringOptimizer(restoring, { notes, tensors }, load);
}

function assign(variable: Variable | undefined, path: string, value: tf.Tensor | undefined): void {
  const fits =
    variable !== undefined &&
    value !== undefined &&
    variable.dtype === value.dtype &&
    tf.util.arraysEqual(variable.shape, value.shape);
  if (!fits) throw corrupt(`the original ${quoted(path)} has no tensor of its shape`);
  variable.assign(value);
}
