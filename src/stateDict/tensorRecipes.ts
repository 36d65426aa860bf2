import { isModule } from '../nn/module/fields.ts';
import { tieOf } from '../nn/module/normalizedTensor.ts';
import type { ParametrizationList } from '../parametrize/chain/parametrizationList.ts';
import { registrationsOf } from '../parametrize/chain/registry.ts';
import { configOf, definitionOf } from '../parametrize/definition.ts';
import type { Parametrization, ParametrizationLike } from '../parametrize/parametrization.ts';
import { callOf } from './appliedSteps.ts';
import { frozenOriginals } from './frozenOriginals.ts';
import { hostsOf } from './hostsOf.ts';
import { FUNCTION_KIND, type RecipeStep, type RecipeTie, type TensorRecipe, UNKNOWN_KIND } from './recipe.ts';

/**
 * Returns the parametrizations of the tensors of a model as data, from which `registerRecipes` registers the same
 * again. A step has the kind and the options of the definition. Without a definition, it has those of the call by
 * which a rule or a recipe has registered it, else only the static `className` of the class. A map with a function for
 * an option has the kind `function`.
 */
export const tensorRecipes = (model: object): TensorRecipe[] => {
  const hosts = hostsOf(model);
  const paths = new Map(hosts.map(([path, host]) => [host, path]));
  return hosts.flatMap(([path, host]) =>
    [...registrationsOf(host)].map(([tensor, { list }]): TensorRecipe => {
      const tiedTo = tieIn(paths, list);
      if (tiedTo !== null) return { path, tensor, steps: [], tiedTo };
      return { path, tensor, steps: stepsOn(list).map(({ step }) => step), ...frozenOriginals(list) };
    }),
  );
};

/**
 * Returns the source of a tied tensor as data. Returns null for other tensors, and if the source has no path.
 *
 * @param paths - the path of each host of the model
 */
function tieIn(paths: ReadonlyMap<object, string>, list: ParametrizationList): RecipeTie | null {
  const tie = tieOf(list);
  const path = tie && paths.get(tie.host);
  if (tie === undefined || path === undefined) return null;
  return { path, tensor: tie.name, ...(tie.isTransposed && { transpose: true }) };
}

/** A step of a recipe with the parametrizations that it stands for: mostly one. */
export interface FoundStep {
  readonly step: RecipeStep;
  readonly registered: readonly ParametrizationLike[];
}

/**
 * Returns the chain of a tensor as data. Neighbors that one call has registered together are one step.
 *
 * @param chain - the steps that the list has, or had
 */
export function stepsOn(
  list: ParametrizationList,
  chain: readonly ParametrizationLike[] = [...list],
): FoundStep[] {
  const found: FoundStep[] = [];
  for (let i = 0; i < chain.length; ) {
    const call = callOf(list, chain[i]!);
    const size = call === undefined ? 1 : call.count;
    const registered = chain.slice(i, i + size);
    const isWhole = registered.length === size && registered.every((one) => callOf(list, one) === call);
    if (size > 1 && isWhole) {
      found.push({ step: { kind: call!.kind, options: call!.options }, registered });
      i += size;
    } else {
      found.push({ step: stepOf(chain[i]!, size === 1 ? call : undefined), registered: [chain[i]!] });
      i++;
    }
  }
  return found;
}

function stepOf(registered: ParametrizationLike, call: RecipeStep | undefined): RecipeStep {
  const definition = definitionOf(registered);
  if (definition !== undefined) {
    const options = configOf(definition, registered as Parametrization);
    // A recipe is data, so a step with a function for an option is as one that nothing names.
    const isData = Object.values(options).every((value) => typeof value !== 'function');
    return isData ? { kind: definition.name, options } : { kind: FUNCTION_KIND, options: {} };
  }
  if (call !== undefined) return { kind: call.kind, options: call.options };
  if (!isModule(registered)) return { kind: FUNCTION_KIND, options: {} };
  // A minifier changes the name of a class, so it is not used.
  const { className } = registered.constructor as { className?: unknown };
  return { kind: typeof className === 'string' ? className : UNKNOWN_KIND, options: {} };
}
