import { refusal } from '../../core/errors.ts';
import { isRecord } from '../../core/guards.ts';
import { didYouMean } from '../../core/text.ts';
import type { Catalog } from '../../stateDict/recipe.ts';
import { CheckpointError, quoted } from '../checkpointError.ts';
import type { Rename, Selection } from './selectState.ts';

/** The options that {@link checkLoading} checks. */
interface Loading {
  readonly prefix?: string | undefined;
  readonly rename?: Rename | undefined;
  readonly catalog?: Catalog | undefined;
}

/**
 * Refuses options of a wrong type. For example, an array as a table would rename the keys `0` and `1`.
 *
 * @throws {@link ParametrizeError} `OPTION`
 */
export function checkLoading(caller: string, { prefix, rename, catalog }: Loading): void {
  const refuse = (name: string, value: unknown, wanted: string): never => {
    const shown =
      typeof value === 'string' ? quoted(value) : Array.isArray(value) ? 'an array' : String(value);
    throw refusal('OPTION', caller, `${name} is ${shown}, it must be ${wanted}`);
  };
  if (prefix !== undefined && typeof prefix !== 'string') refuse('prefix', prefix, "a text, 'generator'");
  if (rename !== undefined && typeof rename !== 'function') {
    const wanted = "a function or a table, { fc1: 'dense_1', head: null }";
    if (!isRecord(rename)) refuse('rename', rename, wanted);
    for (const [from, to] of Object.entries(rename)) {
      if (to !== null && typeof to !== 'string') refuse(`rename[${quoted(from)}]`, to, 'a text or null');
    }
  }
  if (catalog !== undefined && !isRecord(catalog)) {
    refuse('catalog', catalog, 'a table of functions, { weightNorm, spectralNorm }');
  }
}

/**
 * Refuses a table with a name that matches no key, because a misspelt name would leave its layer without weights. A key
 * that is left out by null may be missing.
 *
 * @throws {@link CheckpointError} `OPTION`
 */
export function checkRenamed(
  rename: Rename | undefined,
  { prefix }: Selection,
  names: readonly string[],
): void {
  if (rename === undefined || typeof rename === 'function') return;
  const keys = names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  for (const [from, to] of Object.entries(rename)) {
    if (to === null || keys.some((key) => key === from || key.startsWith(`${from}.`))) continue;
    const modules = [...new Set(keys.map((key) => key.slice(0, Math.max(key.lastIndexOf('.'), 0)) || key))];
    const below = prefix === '' ? '' : ` below ${quoted(prefix)}`;
    throw new CheckpointError(
      'OPTION',
      `rename has ${quoted(from)}, and no key of the file${below} is called so`,
      `${didYouMean(from, modules)} There are ${modules.slice(0, 8).map(quoted).join(', ')}${modules.length > 8 ? ', …' : ''}.`.trimStart(),
    );
  }
}
