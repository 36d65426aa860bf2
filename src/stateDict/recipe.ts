import { ParametrizeError } from '../core/errors.ts';
import { joinPath } from '../core/paths.ts';
import { definedFunctions, definitionOf, withDefaults } from '../parametrize/definition.ts';

/** One parametrization as data: the name of the function that registers it, and its options. */
export interface RecipeStep {
  /**
   * The name of the function: `weightNorm`, `spectralNorm`, …; or the static `className` of your own class. A step that
   * no name tells is `function` or `unknown`.
   */
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
  /**
   * The originals that are not trained, by their names in the chain: `original`, or `original0`, `original1`, …. Absent
   * if there are none, besides those that the first map freezes by its definition. Version 2.
   */
  readonly frozen?: readonly string[];
  /** The tensor that this one reads: `tie` has tied them. Such an entry has no steps. Version 2. */
  readonly tiedTo?: RecipeTie;
}

/** The source of a tied tensor as data. */
export interface RecipeTie {
  /** The path of the module in the model; empty for the model itself. */
  readonly path: string;
  /** The name of the tensor in the module. */
  readonly tensor: string;
  /** True if the tied tensor is the transpose of the source. Default false. */
  readonly transpose?: boolean;
}

/** The parametrizations of a model as data. It can be written as JSON. */
export interface Recipe {
  /** The version of the form of a recipe: the lowest version that has all fields of its entries. */
  readonly version: 1 | 2;
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

/** The kind of a function, or of an object that is no module, which nothing names. */
export const FUNCTION_KIND = 'function';

/** The kind of a module that nothing names. */
export const UNKNOWN_KIND = 'unknown';

/**
 * Returns the shape of a tensor from the shapes of its originals, by the first step. If the step does not define it,
 * returns the shape of the last original.
 */
export const shapeByRecipe = (
  step: RecipeStep | undefined,
  originals: readonly (readonly number[])[],
  catalog: Catalog,
): readonly number[] => definedShape(step, originals, catalog) ?? originals.at(-1)!;

/** Returns the shape of a tensor from the shapes of its originals, or null if the first step does not define it. */
export function definedShape(
  step: RecipeStep | undefined,
  originals: readonly (readonly number[])[],
  catalog: Catalog,
): readonly number[] | null {
  const definition = definitionOf(catalog[step?.kind ?? '']);
  return definition?.shape?.(originals, withDefaults(definition, step!.options)) ?? null;
}

/** Returns a catalog with the functions that the program has defined, and so imported. */
export const programCatalog = (catalog: Catalog = {}): Catalog => ({
  ...(Object.fromEntries(definedFunctions()) as Catalog),
  ...catalog,
});

/** True if the originals of a step are those of torch's older API for its kind: the names fit its options. */
export const hasHookKeys = ({ kind, options = {} }: RecipeStep, catalog: Catalog): boolean =>
  definitionOf(catalog[kind])?.hasHookKeys?.(options) !== false;

/**
 * Refuses a recipe of a tensor with a kind that the catalog lacks.
 *
 * @throws {@link ParametrizeError} `UNKNOWN_RECIPE` for a kind that the catalog has not
 */
export function checkInCatalog(
  { path, tensor, steps }: TensorRecipe,
  catalog: Catalog,
  caller?: string,
): void {
  const missing = steps.find(
    ({ kind }) => !Object.hasOwn(catalog, kind) || typeof catalog[kind] !== 'function',
  );
  if (missing === undefined) return;
  const label = joinPath(path, tensor);
  if (missing.kind === FUNCTION_KIND || missing.kind === UNKNOWN_KIND) {
    throw new ParametrizeError('UNKNOWN_RECIPE', {
      caller,
      fact: `'${label}' was parametrized by ${missing.kind === FUNCTION_KIND ? 'a function' : 'a class'} without a definition, which a recipe cannot name`,
      remedy:
        'Make it with defineParametrization, or give its class a static className, and pass it in the catalog; or leave the tensor out of the recipe and register by hand.',
    });
  }
  const has = Object.keys(catalog).join(', ') || 'nothing';
  throw new ParametrizeError('UNKNOWN_RECIPE', {
    caller,
    fact: `'${label}' was parametrized by '${missing.kind}', which the catalog has not; it has ${has}`,
    remedy: `Add a function of that name: catalog: { ${missing.kind}: (host, name, options) => … }.`,
  });
}
