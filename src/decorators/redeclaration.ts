import { type FieldOf, nameOf, undecorated } from './declaredFields.ts';
import { DecoratorError } from './decoratorError.ts';

/**
 * Whether a class below the declaring one gives the field a value of its own, by a field or an assignment: it stands in the
 * source of the class, whatever the compiler has made of it.
 */
export function redeclaresField(host: object, { declared, declaring }: FieldOf): boolean {
  const name = declared.field.replace(/[^\w]/g, '\\$&');
  const initialized = new RegExp(
    `(?:^|[^.\\w$])${name}\\s*(?:;|=(?![=>]))|\\bthis\\.${name}\\s*=(?!=)|(["'\`])${name}\\1`,
  );
  for (
    let prototype = Object.getPrototypeOf(host);
    prototype !== null && prototype !== declaring;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    const type: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
    if (typeof type !== 'function') continue;
    const source = undecorated.get(type) ?? type;
    if (initialized.test(Function.prototype.toString.call(source))) return true;
  }
  return false;
}

/** The error for a subclass that gives a decorated field of its parent a value of its own. */
export const redeclared = (declaredField: FieldOf, subclass: string): DecoratorError => {
  const { mode } = declaredField.declared;
  return new DecoratorError(
    mode,
    `@parametrized: ${subclass} redeclares the field ${nameOf(declaredField)}, which is decorated (${mode} decorators); its parametrization would be lost. Drop the field in ${subclass} and pass the initial value to the constructor of the parent, or assign a plain tensor.`,
  );
};
