import { refusal } from './errors.ts';
import { didYouMean } from './text.ts';

/**
 * Refuses option keys that the caller does not know, and options that are not an object, such as torch's positional
 * arguments.
 *
 * @throws {@link ParametrizeError} `OPTION`
 */
export function checkOptions(caller: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw refusal(
      'OPTION',
      caller,
      `the options are ${String(options)}, they must be an object with the keys ${known.join(', ')}`,
    );
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    throw refusal(
      'OPTION',
      caller,
      `'${key}' is not an option`,
      `${didYouMean(key, known)} It has: ${known.join(', ')}.`,
    );
  }
}

/**
 * Refuses a value that is not an integer of at least `minimum`.
 *
 * @throws {@link ParametrizeError} `OPTION`
 */
export function checkInteger(caller: string, name: string, value: number, minimum = 1): void {
  if (Number.isSafeInteger(value) && value >= minimum) return;
  const bound = minimum === Number.MIN_SAFE_INTEGER ? '' : ` of at least ${minimum}`;
  throw refusal(
    'OPTION',
    caller,
    `${name} is ${String(value)}, it must be an integer${bound}`,
    'Pass a whole number.',
  );
}

/**
 * Refuses a value that is not a boolean: `'false'` would count as true.
 *
 * @throws {@link ParametrizeError} `OPTION`
 */
export function checkBoolean(caller: string, name: string, value: boolean): void {
  if (typeof value === 'boolean') return;
  throw refusal('OPTION', caller, `${name} is ${String(value)} (${typeof value}), it must be true or false`);
}

/**
 * Refuses a value that is not a finite number.
 *
 * @throws {@link ParametrizeError} `OPTION`
 */
export function checkNumber(caller: string, name: string, value: number): void {
  if (Number.isFinite(value)) return;
  throw refusal(
    'OPTION',
    caller,
    `${name} is ${String(value)}, it must be a finite number`,
    'Pass a number.',
  );
}

/**
 * Refuses a value that is not a finite number of at least 0.
 *
 * @throws {@link ParametrizeError} `OPTION`
 */
export function checkNotNegative(caller: string, name: string, value: number): void {
  if (Number.isFinite(value) && value >= 0) return;
  throw refusal('OPTION', caller, `${name} is ${String(value)}, it must be a finite number of at least 0`);
}

/**
 * Refuses a value that is not a number from 0 to 1.
 *
 * @throws {@link ParametrizeError} `OPTION`
 */
export function checkProbability(caller: string, name: string, value: number): void {
  if (typeof value === 'number' && value >= 0 && value <= 1) return;
  throw refusal(
    'OPTION',
    caller,
    `${name} is ${String(value)}, it must be a probability`,
    'Pass a number from 0 to 1.',
  );
}

/**
 * Refuses a value that is not one of the choices, which are torch's in camelCase.
 *
 * @throws {@link ParametrizeError} `OPTION`
 */
export function checkChoice(caller: string, name: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  const list = choices.map((choice) => `'${choice}'`).join(', ');
  throw refusal(
    'OPTION',
    caller,
    `${name} is '${String(value)}', it must be one of ${list}`,
    didYouMean(String(value), choices),
  );
}
