import { type FieldOf, nameOf, undecorated } from './declaredFields.ts';
import { DecoratorError } from './decoratorError.ts';

/**
 * True if a subclass of the declaring class gives the field another value, by a field or an assignment. The test
 * searches the source of the class for the forms that compilers write.
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

/** The error for a subclass that gives a decorated field of its parent another value. */
export const redeclared = (declaredField: FieldOf, subclass: string): DecoratorError => {
  const { mode } = declaredField.declared;
  return new DecoratorError(mode, {
    fact: `${subclass} redeclares the field ${nameOf(declaredField)}, which is decorated (${mode} decorators); its parametrization would be lost`,
    remedy: `Drop the field in ${subclass} and pass the initial value to the constructor of the parent, or assign a plain tensor.`,
  });
};
