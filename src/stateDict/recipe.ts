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
  /** `weightNorm`, `spectralNorm`, … or what a class of your own calls itself. */
  readonly kind: string;
  /** Plain data. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** The recipe of one tensor of a model: the parametrizations on it. */
export interface TensorRecipe {
  /** Path of the module in the model; empty for the model itself. */
  readonly path: string;
  /** Name of the tensor in the module. */
  readonly tensor: string;
  /** The registered steps, in the order in which they are applied. */
  readonly steps: readonly RecipeStep[];
}

/**
 * The functions that may register what a recipe names, by kind:
 * `{ weightNorm, myMap: (host, name, options) => registerParametrization(host, name, new MyMap(options)) }`.
 */
export type Catalog = Readonly<
  // biome-ignore lint/suspicious/noExplicitAny: functions of the catalog narrow their host and options
  Record<string, (host: any, name: any, options?: any) => unknown>
>;

/** The kind of something without a definition. */
const UNKNOWN = 'unknown';

/**
 * The parametrizations of the tensors of a model, as data from which {@link applyRecipe} registers the same again. A
 * parametrization has the kind and the options of its definition. Of one without a definition, the step is only the
 * static `className` of its class.
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
  // Not the name of the class, which a minifier changes.
  const { className } = registered.constructor as { className?: unknown };
  return { kind: typeof className === 'string' ? className : UNKNOWN, options: {} };
}

/**
 * The shape of a tensor from those of its originals, by the step that takes these; that of the last if the step says
 * nothing.
 */
export function shapeByRecipe(
  step: RecipeStep | undefined,
  originals: readonly (readonly number[])[],
  catalog: Catalog,
): readonly number[] {
  return definitionOf(catalog[step?.kind ?? ''])?.shape?.(originals) ?? originals.at(-1)!;
}

/**
 * Refuses a recipe of a tensor that the catalog cannot follow.
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
 * Registers what a recipe says, on the tensors that are not parametrized yet.
 *
 * @returns the tensors that it was registered on, with their paths
 * @throws {@link ParametrizeError} `UNKNOWN_RECIPE` for a kind that the catalog has not, or a tensor that the model has
 * not; and whatever a function of the catalog throws. Nothing has changed then.
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
 * Registers what a recipe says, then runs `then` with the tensors that it was registered on; if that throws, everything
 * is taken back.
 *
 * @throws {@link ParametrizeError} as {@link applyRecipe}
 */
export const applyingRecipe = <T>(
  model: Module,
  recipe: readonly TensorRecipe[],
  catalog: Catalog,
  then: (registered: string[]) => T,
): T => transaction(() => then(applyRecipe(model, recipe, catalog)));

/** The module at a path. Not remembered: registering makes modules, which later entries may be about. */
function hostAt(model: Module, path: string): Module | undefined {
  let host: Module | undefined = model;
  for (const name of path === '' ? [] : path.split('.')) {
    const field: PropertyDescriptor | undefined = host && Object.getOwnPropertyDescriptor(host, name);
    host = field?.enumerable && isModule(field.value) ? field.value : undefined;
  }
  return host;
}
