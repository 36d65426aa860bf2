import type { ParametrizationLike } from '../parametrization.ts';
import type { ParametrizationList } from './parametrizationList.ts';

/** Sets properties that no walk over a module finds. */
export function hide(list: object, values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(list, name, { value, writable: true, configurable: true });
  }
}

/**
 * Makes the properties that follow from the steps of a list: its indices, which show what was registered, and the
 * names that the first step has for the originals, unless the list has another property of such a name.
 *
 * @param before - the names of those that it has; the deletion of one makes every read slower, so the others stay
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
    // Modules are children, so that they are trained and saved; the others are not searched.
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
