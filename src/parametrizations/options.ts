import type { OptionDefinition } from '../parametrize/definition.ts';

/** The values that an option may have. */
type Values<T> = Pick<OptionDefinition<T>, 'expected' | 'accepts'>;

/** Accepts finite numbers of at least 0. */
export const notNegative: Values<number> = {
  expected: 'a finite number of at least 0',
  accepts: (value) => Number.isFinite(value) && value >= 0,
};

/** Accepts finite numbers. */
export const finite: Values<number> = {
  expected: 'a finite number',
  accepts: (value) => Number.isFinite(value),
};

/** Accepts finite numbers above 0. */
export const aboveZero: Values<number> = {
  expected: 'a finite number above 0',
  accepts: (value) => Number.isFinite(value) && value > 0,
};

/** Accepts integers of at least `minimum`. */
export const integer = (minimum: number): Values<number> => ({
  expected: `an integer${minimum < -1 ? '' : ` of at least ${minimum}`}. Pass a whole number`,
  accepts: (value) => Number.isSafeInteger(value) && value >= minimum,
});

/** Accepts only true and false, because `'false'` would count as true. */
export const boolean: Values<boolean> = {
  expected: 'true or false',
  accepts: (value) => typeof value === 'boolean',
};

/** Accepts some texts. */
export const oneOf = <T extends string>(choices: readonly T[]): Values<T> => ({
  expected: `one of ${choices.map((choice) => `'${choice}'`).join(', ')}`,
  accepts: (value) => choices.includes(value),
});
