import * as parametrizations from '../parametrizations/index.ts';
import { definedFunctions, definitionOf } from '../parametrize/definition.ts';
import type { Catalog } from '../stateDict/recipe.ts';

const isFunctionOfCatalog = (entry: [string, unknown]): entry is [string, Catalog[string]] =>
  definitionOf(entry[1]) !== undefined;

/** Every function of this package that a recipe may name. */
export const catalog: Catalog = Object.fromEntries(
  Object.entries<unknown>(parametrizations).filter(isFunctionOfCatalog),
);

/** The same with every function that the program has defined itself. */
export const definedCatalog = (): Catalog => ({
  ...(Object.fromEntries(definedFunctions()) as Catalog),
  ...catalog,
});
