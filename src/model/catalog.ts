import * as parametrizations from '../parametrizations/index.ts';
import { definitionOf } from '../parametrize/definition.ts';
import { type Catalog, programCatalog } from '../stateDict/recipe.ts';

const isFunctionOfCatalog = (entry: [string, unknown]): entry is [string, Catalog[string]] =>
  definitionOf(entry[1]) !== undefined;

const catalogOfPackage = (): Catalog =>
  Object.fromEntries(Object.entries<unknown>(parametrizations).filter(isFunctionOfCatalog));

/**
 * Every function of the catalog of this package by its name, for {@link applyRecipe} and for rules as data. A program
 * that names the functions that it needs, `{ weightNorm }`, is smaller.
 */
// A bundler may drop a call without arguments, but not one whose arguments are calls.
export const catalog: Catalog = /* @__PURE__ */ catalogOfPackage();

/** Returns the catalog with the functions that the program has defined. */
export const definedCatalog = (): Catalog => programCatalog(catalog);
