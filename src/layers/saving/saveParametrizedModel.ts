import type { io, NamedTensorMap } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { named } from '../../checkpoint/checkpointError.ts';
import { recipeKey } from '../../checkpoint/metadata/recipeText.ts';
import { savedOptimizer } from '../../checkpoint/save/savedOptimizer.ts';
import { saveHandlerFor } from '../../checkpoint/source/ioHandler.ts';
import { checkBoolean, checkOptions } from '../../core/checkOptions.ts';
import { ParametrizeError, refusal } from '../../core/errors.ts';
import type { Layer } from '../../engine/layer.ts';
import { type Model, trainingConfigOf } from '../../engine/modelTraining.ts';
import { scoped } from '../../engine/scope.ts';
import { recipeOf } from '../../model/recipes/recipeOf.ts';
import { candidatesOf } from '../../model/select/candidate.ts';
import { modelVariables } from '../../model/select/modelVariables.ts';
import { checkLayersModel, plainModel } from '../host/plainModel.ts';
import { concatenated, nameOfOriginal, originalsKey, trainingKey } from './parametrizedArtifacts.ts';

const caller = 'saveParametrizedModel';

/** Options of {@link saveParametrizedModel}. */
export interface SaveParametrizedModelOptions {
  /** False if the loss, the metrics and the optimizer of a compiled model are left out. Default true. */
  readonly includeOptimizer?: boolean;
}

/**
 * Saves a parametrized model of tf.layers: the topology, the recipe, the originals, and of a compiled model the loss,
 * the metrics and the state of the optimizer. `loadParametrizedModel` makes the model from it, and training goes on
 * exactly.
 *
 * The artifacts are also those of a plain model: `tf.loadLayersModel` loads it with the computed values, not compiled.
 * A parametrized weight takes its own bytes for that, besides those of its originals.
 *
 * The artifacts have the state at the moment of the call, even if training continues meanwhile.
 *
 * @param model - a built model, parametrized or not
 * @param target - an `IOHandler`, or a URL that `model.save` takes: `file://…`, `indexeddb://…`, `downloads://…`
 * @returns the result of the handler
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST` for another object; `UNSUPPORTED` for a loss or a metric that is
 * a function of the program, and for `groupOptimizer`: pass `{ includeOptimizer: false }`; `OPTION`
 * @example
 * ```ts
 * await saveParametrizedModel(model, 'indexeddb://model');
 * const again = await loadParametrizedModel('indexeddb://model', { catalog });
 * ```
 */
export async function saveParametrizedModel(
  model: LayersModel,
  target: string | io.IOHandler,
  options: SaveParametrizedModelOptions = {},
): Promise<io.SaveResult> {
  checkOptions(caller, options, ['includeOptimizer']);
  const { includeOptimizer = true } = options;
  checkBoolean(caller, 'includeOptimizer', includeOptimizer);
  checkLayersModel(caller, model);
  let tensors: NamedTensorMap[] = [];
  try {
    const handler = typeof target === 'string' ? saveHandlerFor(target) : target;
    if (typeof handler?.save !== 'function') {
      throw refusal('OPTION', caller, 'this IOHandler cannot save', 'Pass one with a save method.');
    }
    const variables = candidatesOf(caller, model)
      .flatMap(modelVariables)
      .filter(({ name }) => name !== null);
    const { optimizer } = model as unknown as Model;
    const isTrained = includeOptimizer && optimizer != null;
    const training = isTrained ? { [trainingKey]: JSON.stringify(configOf(model as unknown as Model)) } : {};
    const state = isTrained ? savedOptimizer(caller, model, optimizer) : { tensors: {}, texts: {} };
    const plain = scoped(caller, () => {
      const { topology, metadata, weights } = plainModel(caller, model as unknown as Layer);
      const copies = weights.map(({ name, value }) => [name, tf.keep(tf.clone(value))] as const);
      return { topology, metadata, weights: Object.fromEntries(copies) };
    });
    tensors = [
      plain.weights,
      Object.fromEntries(variables.map(({ variable }, i) => [nameOfOriginal(i), tf.clone(variable)])),
      state.tensors,
    ];
    const userDefinedMetadata = {
      ...plain.metadata,
      [recipeKey]: JSON.stringify(recipeOf(model)),
      [originalsKey]: JSON.stringify(variables.map(({ key }) => key)),
      ...training,
      ...state.texts,
    };
    const values = await tf.io.encodeWeights(tensors[0]!);
    const others = await tf.io.encodeWeights({ ...tensors[1], ...tensors[2] }, 'optimizer');
    return await handler.save({
      modelTopology: plain.topology,
      format: 'layers-model',
      generatedBy: 'tfjs-parametrize',
      convertedBy: null,
      weightSpecs: [...values.specs, ...others.specs],
      weightData: concatenated([values.data, others.data]),
      userDefinedMetadata,
    });
  } catch (error) {
    throw named(caller, error);
  } finally {
    tf.dispose(tensors);
  }
}

function configOf(model: Model): object {
  try {
    return trainingConfigOf(model);
  } catch (cause) {
    if (cause instanceof ParametrizeError) throw cause;
    throw new ParametrizeError(
      'UNSUPPORTED',
      {
        caller,
        fact: `tfjs cannot write how the model is trained: ${cause instanceof Error ? cause.message.replace(/\.$/, '') : String(cause)}`,
        remedy: 'Compile it with a loss and metrics by name, or pass { includeOptimizer: false }.',
      },
      { cause },
    );
  }
}
