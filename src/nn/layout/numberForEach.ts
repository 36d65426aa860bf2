import { checkInteger } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';

/** The numbers that an option stands for. */
interface Numbers {
  readonly count: number;
  readonly minimum: number;
  /** An array of them, for messages: `[left, right]`. */
  readonly expected: string;
}

/**
 * The numbers of an option, written out: one number stands for all.
 *
 * @throws {@link ParametrizeError} `OPTION` if it is neither a number nor as many as there must be, or not an integer
 * in range
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
