import { axisIn } from '../../core/axes.ts';
import { type AnyDefinition, configOf, definitionOf, withDefaults } from '../../parametrize/definition.ts';
import type { Parametrization, ParametrizationLike } from '../../parametrize/parametrization.ts';
import { isSameData } from '../../stateDict/appliedSteps.ts';
import type { Catalog } from '../../stateDict/recipe.ts';

/**
 * True if a registered parametrization is the one that options would make. An option that is not given has its
 * default; one without a default, which `make` finds from the tensor, may have any value.
 */
export function hasOptions(
  registered: ParametrizationLike,
  given: Readonly<Record<string, unknown>>,
  rank: number,
): boolean {
  const definition = definitionOf(registered);
  if (definition === undefined) return false;
  return isConfig(definition, configOf(definition, registered as Parametrization), given, rank);
}

/**
 * True if options of a function make what other options of it make.
 *
 * @param apply - a function of a catalog; false is returned if nothing defines it
 * @param rank - the rank of the tensor
 */
export function isSameCall(
  apply: Catalog[string],
  options: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, unknown>>,
  rank: number,
): boolean {
  const definition = definitionOf(apply);
  return definition !== undefined && isConfig(definition, withDefaults(definition, options), given, rank);
}

/**
 * Splits the options of a function into the axes, counted from the front, and the others. The axes are undefined if
 * they are not given.
 */
export function splitAxes(
  apply: Catalog[string],
  { ...options }: Readonly<Record<string, unknown>>,
  rank: number,
): { readonly axes: readonly number[] | undefined; readonly others: Readonly<Record<string, unknown>> } {
  const definition = definitionOf(apply);
  const name = definition?.axes?.option;
  if (definition === undefined || name === undefined) return { axes: undefined, others: options };
  const { [name]: given, ...others } = options;
  return { axes: given === undefined ? undefined : axesFrom(given, rank), others };
}

/** True if all options of a parametrization are those that `given` would make. */
function isConfig(
  definition: AnyDefinition,
  config: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, unknown>>,
  rank: number,
): boolean {
  return Object.entries(definition.options).every(([name, { default: initial }]) => {
    const wanted = given[name] === undefined ? initial : given[name];
    if (wanted === undefined) return true;
    const normal = (value: unknown): unknown => normalized(definition, name, value, rank);
    return isSame(normal(wanted), normal(config[name]));
  });
}

/** The value of an option in the form in which equal ones are the same: axes as a list, counted from the front. */
function normalized(definition: AnyDefinition, name: string, value: unknown, rank: number): unknown {
  return definition.axes?.option === name ? axesFrom(value, rank) : value;
}

function axesFrom(value: unknown, rank: number): number[] {
  const axes = value === null ? [] : Array.isArray(value) ? (value as number[]) : [value as number];
  return axes.map((axis) => axisIn(axis, rank) ?? axis).sort((a, b) => a - b);
}

const isSame = (a: unknown, b: unknown): boolean =>
  Object.is(a, b) || (typeof a === 'object' && typeof b === 'object' && isSameData(a, b));
