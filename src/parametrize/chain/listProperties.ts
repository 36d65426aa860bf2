import type { ParametrizationLike } from '../parametrization.ts';
import type { ParametrizationList } from './parametrizationList.ts';

/** Sets properties that are not enumerable. */
export function hide(list: object, values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(list, name, { value, writable: true, configurable: true });
  }
}

/**
 * Makes the properties of a list that depend on its steps: its indices, which show the registered parametrizations, and
 * the names of the first step for the originals, unless the list has another property of that name.
 *
 * @param before - the names of the existing properties. A deletion makes every read slower, so properties that stay are
 * not deleted
 * @returns the names of the properties
 */
export function showSteps(list: ParametrizationList, before: readonly PropertyKey[]): PropertyKey[] {
  const { steps, originalNames } = list;
  const names = steps[0]?.originalNames ?? [];
  const aliases = names
    .slice(0, originalNames.length)
    .filter((name) => before.includes(name) || !(name in list));
  const shown = [...steps.keys(), ...aliases];
  for (const name of before) if (!shown.includes(name as never)) Reflect.deleteProperty(list, name);
  for (const [index, { module }] of steps.entries()) {
    const get = function (this: ParametrizationList): ParametrizationLike {
      return this.steps[index]!.registered;
    };
    // Modules are enumerable, because children are trained and saved. Other values are hidden from the search.
    Object.defineProperty(list, index, { get, enumerable: module !== null, configurable: true });
  }
  for (const alias of aliases.filter((name) => !before.includes(name))) {
    const get = function (this: ParametrizationList): unknown {
      return this[this.originalNames[this.steps[0]!.originalNames.indexOf(alias)]!];
    };
    Object.defineProperty(list, alias, { get, configurable: true });
  }
  return shown;
}
