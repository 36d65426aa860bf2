import * as parametrizations from '../parametrizations/index.ts';
import { definedFunctions, definitionOf } from '../parametrize/definition.ts';
import type { Catalog } from '../stateDict/recipe.ts';

const isFunctionOfCatalog = (entry: [string, unknown]): entry is [string, Catalog[string]] =>
  definitionOf(entry[1]) !== undefined;

/** The functions of this package that a recipe may name. */
export const catalog: Catalog = Object.fromEntries(
  Object.entries<unknown>(parametrizations).filter(isFunctionOfCatalog),
);

/** Returns the catalog with the functions that the program has defined. */
export const definedCatalog = (): Catalog => ({
  ...(Object.fromEntries(definedFunctions()) as Catalog),
  ...catalog,
});
