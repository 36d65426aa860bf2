import { refusal } from '../../core/errors.ts';
import { joinPath } from '../../core/paths.ts';
import { typeName } from '../../core/text.ts';
import type { Candidate, FoundCandidate } from './candidate.ts';
import { glob } from './glob.ts';
import type { Pattern } from './selector.ts';

/** A pattern that was compiled. */
export interface CompiledPattern {
  /** The pattern as messages print it. */
  readonly text: string;
  /** The text that misspelt paths are compared with; null for a predicate. */
  readonly spelling: string | null;
  /**
   * Finds what the pattern names: the host of a candidate or the tensor itself, and the path that fits; null if
   * neither.
   */
  match(candidate: FoundCandidate): PatternMatch | null;
}

/** The thing that a pattern names. */
interface PatternMatch {
  readonly names: 'host' | 'tensor';
  /** The path of the host. */
  readonly path: string;
}

/**
 * Compiles a pattern.
 *
 * A glob whose last segment is only wildcards names hosts: `block.*` means the modules of the block, not its weight
 * and bias.
 *
 * @throws {@link ParametrizeError} `PATTERN`
 */
export function compilePattern(caller: string, pattern: Pattern): CompiledPattern {
  if (typeof pattern === 'string') {
    const namesTensors = !/(^|\.)[*?]+$/.test(pattern);
    return compiled(pattern, `'${pattern}'`, glob(caller, pattern), namesTensors);
  }
  if (pattern instanceof RegExp) {
    // With the flags g and y a RegExp goes on where its last match ended.
    const source = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
    return compiled(pattern.source, String(pattern), (path) => source.test(path), true);
  }
  if (typeof pattern === 'function') return predicate(caller, pattern);
  throw refusal(
    'PATTERN',
    caller,
    `a pattern is ${typeName(pattern)}`,
    'Pass a glob, a RegExp or a function of (host, path, candidate).',
  );
}

const compiled = (
  spelling: string,
  text: string,
  test: (path: string) => boolean,
  namesTensors: boolean,
): CompiledPattern => ({
  text,
  spelling,
  match({ paths, tensor }) {
    const host = paths.find(test);
    if (host !== undefined) return { names: 'host', path: host };
    const path = namesTensors ? paths.find((one) => test(joinPath(one, tensor))) : undefined;
    return path === undefined ? null : { names: 'tensor', path };
  },
});

const predicate = (
  caller: string,
  test: (host: object, path: string, candidate: Candidate) => unknown,
): CompiledPattern => ({
  text: `the predicate${test.name === '' || test.name === 'match' ? '' : ` ${test.name}`}`,
  spelling: null,
  match(candidate) {
    const { host, paths } = candidate;
    const path = paths.find((one) => {
      const result = test(host, one, { ...candidate, path: one });
      if (typeof result === 'boolean') return result;
      throw refusal(
        'PATTERN',
        caller,
        `a predicate returned ${typeName(result)} for '${one}'`,
        'Return true or false.',
      );
    });
    return path === undefined ? null : { names: 'host', path };
  },
});
