import type { Rule } from '../model/rules/rule.ts';
import type { Catalog } from '../stateDict/recipe.ts';
import { applyRules } from './applyRules.ts';
import { checkedRules } from './checkedRules.ts';
import { fieldsDeclaredOn, undecorated } from './declaredFields.ts';
import { declareRules, rulesDeclaredOn } from './declaredRules.ts';
import { giveValue, isAdopted } from './fieldValue.ts';
import { isStandard } from './standardDecorator.ts';

/** A class, which may be abstract. */
export type AnyClass = abstract new (...args: never) => object;

/** Options of {@link parametrizedModule}. */
// biome-ignore lint/suspicious/noExplicitAny: the elements of O are inferred one by one
export interface ModuleRules<O extends readonly any[]> {
  /** What is registered on which tensors of each object; see `parametrize`. */
  readonly rules: { readonly [K in keyof O]: Rule<O[K]> };
  /** The functions that rules name by a string. Default none. */
  readonly catalog?: Catalog;
}

/** The prototypes of classes whose objects the decorator completes. */
const completed = new WeakSet<object>();

/**
 * Declares rules for a whole class, and completes each object of the class after its constructor has run.
 *
 * With `rules`, each object gets the parametrizations that `parametrize(object, rules)` registers. The rules see the
 * paths below the object. Subclasses inherit the rules. If a subclass has the decorator too, with rules or without, all
 * rules are applied once, after its constructor; else they do not see what the constructor of the subclass makes.
 *
 * Without options, the decorator completes fields with {@link parametrized}. Each class with such fields needs it under
 * `experimentalDecorators` with `useDefineForClassFields: true`. In every other mode it changes no field.
 *
 * The constructor still sees the plain variables. A copy made by `clone` has the chains of its source, and no rule is
 * applied to it.
 *
 * @returns the class, or a proxy of it
 * @throws {@link ParametrizeError} `OPTION`, `PATTERN` or `UNKNOWN_RECIPE` where the class is made; the errors of
 * `parametrize` where an object is made
 * @example
 * ```ts
 * @parametrizedModule({
 *   rules: [
 *     { type: nn.ConvTranspose1d, apply: weightNorm, options: { dim: 1 } },
 *     { type: nn.Conv1d, exclude: 'post', apply: weightNorm },
 *   ],
 * })
 * class Generator extends nn.Module {
 *   pre = new nn.Conv1d(80, 32, 7, { padding: 3 });
 *   up = new nn.ConvTranspose1d(32, 16, 4, { stride: 2, padding: 1 });
 *   post = new nn.Conv1d(16, 1, 7, { padding: 3 });
 * }
 * ```
 */
export function parametrizedModule<C extends AnyClass>(target: C, context?: ClassDecoratorContext): C;
// biome-ignore lint/suspicious/noExplicitAny: as above
export function parametrizedModule<const O extends readonly any[]>(
  options: ModuleRules<O>,
): <C extends AnyClass>(target: C, context?: ClassDecoratorContext) => C;
export function parametrizedModule(first: unknown, context?: ClassDecoratorContext): unknown {
  if (typeof first === 'function') return completedClass(first as AnyClass, context);
  const rules = checkedRules(first);
  return <C extends AnyClass>(target: C, context?: ClassDecoratorContext): C => {
    declareRules(target.prototype as object, rules);
    return completedClass(target, context);
  };
}

function completedClass<C extends AnyClass>(target: C, context: ClassDecoratorContext | undefined): C {
  const prototype = target.prototype as object;
  const hasRules = rulesDeclaredOn(prototype).length > 0;
  if (isStandard(context) && !hasRules) return target;
  const fields = isStandard(context) ? [] : fieldsDeclaredOn(prototype);
  for (const { declared } of fields) declared.finished = true;
  completed.add(prototype);
  // With a proxy instead of a subclass, the name, prototype and metadata of the class do not change.
  const decorated = new Proxy(target, {
    construct(type, args, newTarget) {
      const host = Reflect.construct(type as unknown as new (...args: unknown[]) => object, args, newTarget);
      for (const field of fields) {
        const name = field.declared.field;
        const own = Object.getOwnPropertyDescriptor(host, name);
        if (own === undefined || 'get' in own || isAdopted(host, name)) continue;
        giveValue(host, field, own.value);
      }
      if (hasRules && !isCompletedBelow(host, prototype)) applyRules(host);
      return host;
    },
  });
  undecorated.set(decorated, target);
  Object.defineProperty(prototype, 'constructor', { value: decorated, writable: true, configurable: true });
  return decorated;
}

/** True if a subclass will complete the object, because it has the decorator, too. */
function isCompletedBelow(host: object, prototype: object): boolean {
  let below = Object.getPrototypeOf(host) as object | null;
  for (; below !== null && below !== prototype; below = Object.getPrototypeOf(below) as object | null) {
    if (completed.has(below)) return true;
  }
  return false;
}
