import { axisIn } from '../../core/axes.ts';
import { type AnyDefinition, configOf, definitionOf } from '../../parametrize/definition.ts';
import type { Parametrization, ParametrizationLike } from '../../parametrize/parametrization.ts';

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
  const config = configOf(definition, registered as Parametrization);
  return Object.entries(definition.options).every(([name, { default: initial }]) => {
    const wanted = given[name] === undefined ? initial : given[name];
    if (wanted === undefined) return true;
    const normal = (value: unknown): unknown => normalized(definition, name, value, rank);
    return isSame(normal(wanted), normal(config[name]));
  });
}

/** The value of an option in the form in which equal ones are the same: axes as a list, counted from the front. */
function normalized(definition: AnyDefinition, name: string, value: unknown, rank: number): unknown {
  if (definition.axes?.option !== name) return value;
  const axes = value === null ? [] : Array.isArray(value) ? (value as number[]) : [value as number];
  return axes.map((axis) => axisIn(axis, rank) ?? axis).sort((a, b) => a - b);
}

const isSame = (a: unknown, b: unknown): boolean =>
  Object.is(a, b) || (Array.isArray(a) && Array.isArray(b) && JSON.stringify(a) === JSON.stringify(b));
