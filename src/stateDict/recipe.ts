import { ParametrizeError } from '../core/errors.ts';
import { joinPath } from '../core/paths.ts';
import { isModule } from '../nn/module/fields.ts';
import type { Module } from '../nn/module/module.ts';
import { registrationsOf } from '../parametrize/chain/registry.ts';
import { configOf, definitionOf } from '../parametrize/definition.ts';
import type { Parametrization, ParametrizationLike } from '../parametrize/parametrization.ts';
import { transaction } from '../parametrize/transaction.ts';
import { hostsOf } from './hostsOf.ts';

/** One parametrization as data: the name of the function that registers it, and its options. */
export interface RecipeStep {
  /** The kind: `weightNorm`, `spectralNorm`, …, or the static `className` of your own class. */
  readonly kind: string;
  /** The options, as plain data. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** The recipe of one tensor of a model: the parametrizations on it. */
export interface TensorRecipe {
  /** The path of the module in the model; empty for the model itself. */
  readonly path: string;
  /** The name of the tensor in the module. */
  readonly tensor: string;
  /** The registered steps, in the order of application. */
  readonly steps: readonly RecipeStep[];
}

/** The parametrizations of a model as data. It can be written as JSON. */
export interface Recipe {
  /** The version of the form of a recipe. */
  readonly version: 1;
  /** The parametrized tensors, in the order of registration: the host before the chains in it. */
  readonly parametrizations: readonly TensorRecipe[];
}

/**
 * The functions that may register the steps of a recipe, by kind:
 * `{ weightNorm, myMap: (host, name, options) => registerParametrization(host, name, new MyMap(options)) }`.
 */
export type Catalog = Readonly<
  // biome-ignore lint/suspicious/noExplicitAny: functions of the catalog narrow their host and options
  Record<string, (host: any, name: any, options?: any) => unknown>
>;

/** The kind of a parametrization without a definition. */
const UNKNOWN = 'unknown';

/**
 * Returns the parametrizations of the tensors of a model as data, from which {@link applyRecipe} registers the same
 * again. A step has the kind and the options of the definition. Without a definition, it has only the static
 * `className` of the class.
 */
export const recipeOf = (model: Module): TensorRecipe[] =>
  hostsOf(model).flatMap(([path, host]) =>
    [...registrationsOf(host)].map(([tensor, { list }]) => ({ path, tensor, steps: [...list].map(stepOf) })),
  );

function stepOf(registered: ParametrizationLike): RecipeStep {
  const definition = definitionOf(registered);
  if (definition !== undefined) {
    return { kind: definition.name, options: configOf(definition, registered as Parametrization) };
  }
  // A minifier changes the name of a class, so it is not used.
  const { className } = registered.constructor as { className?: unknown };
  return { kind: typeof className === 'string' ? className : UNKNOWN, options: {} };
}

/**
 * Returns the shape of a tensor from the shapes of its originals, by the first step. If the step does not define it,
 * returns the shape of the last original.
 */
export function shapeByRecipe(
  step: RecipeStep | undefined,
  originals: readonly (readonly number[])[],
  catalog: Catalog,
): readonly number[] {
  return definitionOf(catalog[step?.kind ?? ''])?.shape?.(originals) ?? originals.at(-1)!;
}

/**
 * Refuses a recipe of a tensor with a kind that the catalog lacks.
 *
 * @throws {@link ParametrizeError} `UNKNOWN_RECIPE` for a kind that the catalog has not
 */
export function checkInCatalog({ path, tensor, steps }: TensorRecipe, catalog: Catalog): void {
  const missing = steps.find(
    ({ kind }) => !Object.hasOwn(catalog, kind) || typeof catalog[kind] !== 'function',
  );
  if (missing === undefined) return;
  const has = Object.keys(catalog).join(', ') || 'nothing';
  throw new ParametrizeError('UNKNOWN_RECIPE', {
    fact: `'${joinPath(path, tensor)}' was parametrized by '${missing.kind}', which the catalog has not; it has ${has}`,
    remedy: `Add a function of that name: catalog: { ${missing.kind}: (host, name, options) => … }.`,
  });
}

/**
 * Registers the steps of a recipe on the tensors that are not parametrized.
 *
 * @returns the registered tensors, with their paths
 * @throws {@link ParametrizeError} `UNKNOWN_RECIPE` for a kind that the catalog lacks, or a tensor that the model
 * lacks; and the errors of functions of the catalog. Nothing changes then.
 */
export function applyRecipe(model: Module, recipe: readonly TensorRecipe[], catalog: Catalog): string[] {
  const wanted = recipe.filter(({ path, tensor }) => {
    const host = hostAt(model, path);
    return host === undefined || !registrationsOf(host).has(tensor);
  });
  for (const entry of wanted) checkInCatalog(entry, catalog);
  return transaction(() =>
    wanted.map(({ path, tensor, steps }) => {
      const host = hostAt(model, path);
      if (host === undefined) {
        throw new ParametrizeError('UNKNOWN_RECIPE', {
          fact: `'${joinPath(path, tensor)}' was parametrized, and the model has no module '${path}'`,
          remedy: 'Load into the model that was saved.',
        });
      }
      for (const { kind, options } of steps) catalog[kind]!(host, tensor, { ...options });
      return joinPath(path, tensor);
    }),
  );
}

/**
 * Registers the steps of a recipe, then runs `then` with the registered tensors. If that throws, everything is undone.
 *
 * @throws {@link ParametrizeError} the errors of {@link applyRecipe}
 */
export const applyingRecipe = <T>(
  model: Module,
  recipe: readonly TensorRecipe[],
  catalog: Catalog,
  then: (registered: string[]) => T,
): T => transaction(() => then(applyRecipe(model, recipe, catalog)));

/**
 * Returns the module at a path. The result is not cached, because registering makes modules that later entries may
 * refer to.
 */
function hostAt(model: Module, path: string): Module | undefined {
  let host: Module | undefined = model;
  for (const name of path === '' ? [] : path.split('.')) {
    const field: PropertyDescriptor | undefined = host && Object.getOwnPropertyDescriptor(host, name);
    host = field?.enumerable && isModule(field.value) ? field.value : undefined;
  }
  return host;
}
