import type { Rule } from '../model/rules/rule.ts';
import type { Catalog } from '../stateDict/recipe.ts';
import { ownMetadata, storeMetadata } from './classMetadata.ts';

/** The rules that a class declares. */
export interface DeclaredRules {
  readonly rules: readonly Rule[];
  readonly catalog: Catalog;
}

/** Declared rules, and the prototype of the class that declares them. */
export interface RulesOf extends DeclaredRules {
  readonly declaring: object;
}

const KEY = 'tfjs-parametrize:rules';

/** Stores the rules of a class at its prototype. */
export function declareRules(prototype: object, rules: DeclaredRules): void {
  storeMetadata(KEY, rules, prototype);
}

/** Returns the rules of all objects with a prototype. Those of parent classes come first. */
export function rulesDeclaredOn(prototype: object | null): RulesOf[] {
  if (prototype === null) return [];
  const own = ownMetadata(KEY, prototype) as DeclaredRules | undefined;
  return [
    ...rulesDeclaredOn(Object.getPrototypeOf(prototype) as object | null),
    ...(own === undefined ? [] : [{ ...own, declaring: prototype }]),
  ];
}
