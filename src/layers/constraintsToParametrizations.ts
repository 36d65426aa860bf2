import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type ParametrizeError, refusal } from '../core/errors.ts';
import { typeName } from '../core/text.ts';
import { isLayer, type Layer } from '../engine/layer.ts';
import type { LayerVariable } from '../engine/layerVariable.ts';
import { maxNorm } from '../parametrizations/maxNorm.ts';
import { minMaxNorm } from '../parametrizations/minMaxNorm.ts';
import { nonNeg } from '../parametrizations/nonNeg.ts';
import { unitNorm } from '../parametrizations/unitNorm.ts';
import { transaction } from '../parametrize/transaction.ts';
import { isParametrized } from '../parametrize/verbs/isParametrized.ts';
import { everyLayer, ownWeights } from './host/layer.ts';
import { syncModel } from './syncModel.ts';
import { teachLayers } from './teachLayers.ts';

/** A function of the catalog for weights of layers with names that are known only at run time. */
type Constrain = (layer: object, name: string, options: object) => void;

const functions: Readonly<Record<string, Constrain>> = {
  MaxNorm: maxNorm as unknown as Constrain,
  MinMaxNorm: minMaxNorm as unknown as Constrain,
  NonNeg: nonNeg as unknown as Constrain,
  UnitNorm: unitNorm as unknown as Constrain,
};

/**
 * Makes every constraint of a model hold while it trains. Each weight with a constraint of `tf.constraints` gets the
 * parametrization of the same name, with the same options. tfjs applies constraints only on assignment, and not in
 * `fit`.
 *
 * A compiled model is synced, so training may continue. Parametrized weights stay as they are.
 *
 * @remarks A weight that broke its constraint in an earlier `fit` changes to a value that satisfies it.
 *
 * @returns the paths of the weights: `dense_Dense1.kernel`
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST` if the argument is not a built model, or if a constraint has
 * another class; nothing changes then
 * @example
 * ```ts
 * const model = await tf.loadLayersModel('model.json');   // made with kernelConstraint
 * constraintsToParametrizations(model);
 * model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
 * ```
 */
export function constraintsToParametrizations(model: LayersModel): string[] {
  teachLayers();
  if (!isLayer(model) || !('layers' in model)) {
    throw unsupported(`expected a model of tf.layers, got ${typeName(model)}`);
  }
  const layers = everyLayer(model as unknown as Layer);
  const unbuilt = layers.find(([, layer]) => declaresConstraint(layer) && ownWeights(layer).size === 0);
  if (unbuilt !== undefined) {
    throw unsupported(
      `'${unbuilt[0]}' is not built, so that it has no weights. Give the model an inputShape`,
    );
  }
  const constrained = layers.flatMap(([path, layer]) =>
    [...ownWeights(layer)]
      .filter(([name, { constraint }]) => constraint != null && !isParametrized(layer, name))
      .map(([name, weight]) => ({ path: `${path}.${name}`, layer, name, weight })),
  );
  const plans = constrained.map(({ path, layer, name, weight }) => {
    const constrain = functionFor(weight);
    if (constrain === undefined) {
      throw unsupported(
        `the constraint of '${path}' is ${typeName(weight.constraint)}, which has no parametrization. Register one of your own on it first`,
      );
    }
    const apply = (): void => constrain(layer, name, weight.constraint!.getConfig());
    return { path, apply };
  });
  // All registrations succeed or none does. tfjs does not check the options of a constraint, so they may be invalid for
  // the weight.
  transaction(() => {
    for (const { apply } of plans) apply();
    syncModel(model);
  });
  return plans.map(({ path }) => path);
}

const functionFor = ({ constraint }: LayerVariable): Constrain | undefined =>
  functions[constraint!.getClassName()];

const declaresConstraint = (layer: object): boolean =>
  Object.entries(layer).some(([field, value]) => field.endsWith('Constraint') && value != null);

const unsupported = (fact: string): ParametrizeError =>
  refusal('UNSUPPORTED_HOST', 'constraintsToParametrizations', fact);
