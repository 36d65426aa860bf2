import { checkInteger } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';

/** The expected numbers of an option. */
interface Numbers {
  readonly count: number;
  readonly minimum: number;
  /** The array form, for messages: `[left, right]`. */
  readonly expected: string;
}

/**
 * Returns the numbers of an option. A single number is repeated.
 *
 * @throws {@link ParametrizeError} `OPTION` if the value is neither a number nor an array of the right length, or if a
 * number is not an integer in range
 */
export function numberForEach<List extends readonly number[]>(
  caller: string,
  name: string,
  value: number | List,
  { count, minimum, expected }: Numbers,
): List {
  if (!Array.isArray(value)) {
    checkInteger(caller, name, value as number, minimum);
    return new Array<number>(count).fill(value as number) as readonly number[] as List;
  }
  if (value.length !== count) {
    throw refusal('OPTION', caller, `${name} is ${formatShape(value)}, it must be one number or ${expected}`);
  }
  for (const item of value) checkInteger(caller, `an element of ${name}`, item, minimum);
  return [...value] as readonly number[] as List;
}
