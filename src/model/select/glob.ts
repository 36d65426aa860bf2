import { refusal } from '../../core/errors.ts';

/**
 * One segment of a glob: the texts that may stand there, with `*` and `?`; or `**`, which is any number of segments.
 */
type Segment = '**' | readonly string[];

/** The largest number of texts that the braces of one segment may stand for. */
const maxTexts = 1_000;

/**
 * Compiles a glob on dotted paths.
 *
 * Segments stand between dots. `*` is any text in a segment, `?` one character, `**` any number of segments (also
 * none), `{a,b}` one of several texts, `{0..5}` one of several integers. The glob matches the whole path. No regular
 * expression is made of it, and the time of a match is at most the product of the two lengths.
 *
 * @returns tests a path
 * @throws {@link ParametrizeError} `PATTERN`
 */
export function glob(caller: string, pattern: string): (path: string) => boolean {
  const segments = segmentsOf(caller, pattern);
  return (path) => matchesAll(segments, path === '' ? [] : path.split('.'));
}

function segmentsOf(caller: string, pattern: string): Segment[] {
  const fail = (fact: string, remedy: string): never => {
    throw refusal('PATTERN', caller, `the pattern '${pattern}' ${fact}`, remedy);
  };
  const wrong = /[[\]\\]/.exec(pattern)?.[0];
  if (wrong !== undefined) fail(`has a '${wrong}', which means nothing in a glob`, 'Pass a RegExp for more.');
  if (pattern === '') return [];
  return splitOutsideOfBraces(pattern).map((segment): Segment => {
    if (segment === '**') return segment;
    if (segment === '') fail('has an empty segment', 'A path has names between its dots: encoder.0.');
    if (segment.includes('**')) fail(`has '**' inside of a segment`, "Use '**' between dots: **.conv*.");
    return textsOf(segment, fail);
  });
}

/** The parts between dots; `{0..5}` has dots of its own. */
function splitOutsideOfBraces(pattern: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const character of pattern) {
    if (character === '{') depth++;
    if (character === '}') depth--;
    if (character === '.' && depth === 0) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}

/** Every text that the braces of a segment stand for. */
function textsOf(segment: string, fail: (fact: string, remedy: string) => never): string[] {
  const remedy = 'Braces hold texts or a range: {q,k,v}_proj, {0..5}.';
  let texts = [''];
  let rest = segment;
  while (rest !== '') {
    const start = rest.indexOf('{');
    const plain = start < 0 ? rest : rest.slice(0, start);
    if (plain.includes('}')) fail("has a '}' without a '{'", remedy);
    texts = texts.map((text) => text + plain);
    if (start < 0) break;
    const end = rest.indexOf('}', start);
    if (end < 0) fail("has a '{' without a '}'", remedy);
    const inside = rest.slice(start + 1, end);
    if (inside.includes('{')) fail('has braces inside of braces', remedy);
    const choices = choicesOf(inside, fail, remedy);
    if (texts.length * choices.length > maxTexts) {
      fail(`has braces for more than ${maxTexts} texts in a segment`, 'Use * or a RegExp.');
    }
    texts = texts.flatMap((text) => choices.map((choice) => text + choice));
    rest = rest.slice(end + 1);
  }
  return texts;
}

function choicesOf(
  inside: string,
  fail: (fact: string, remedy: string) => never,
  remedy: string,
): readonly string[] {
  const range = /^(\d{1,9})\.\.(\d{1,9})$/.exec(inside);
  if (range !== null) {
    const [from, to] = [Number(range[1]), Number(range[2])];
    if (from > to) fail(`has the empty range {${inside}}`, 'Write the smaller number first.');
    if (to - from >= maxTexts) {
      fail(`has braces for more than ${maxTexts} texts in a segment`, 'Use * or a RegExp.');
    }
    return Array.from({ length: to - from + 1 }, (_, i) => String(from + i));
  }
  if (inside.includes('.')) fail(`has '{${inside}}', which is no range of integers`, remedy);
  return inside.split(',');
}

/**
 * Matches segments with segments. Only the last `**` is tried again: what an earlier one could take, it can take too.
 */
function matchesAll(segments: readonly Segment[], names: readonly string[]): boolean {
  return matches(
    segments.length,
    names.length,
    (i) => segments[i] === '**',
    (i, j) => (segments[i] as readonly string[]).some((text) => matchesText(text, names[j]!)),
  );
}

const matchesText = (text: string, name: string): boolean =>
  matches(
    text.length,
    name.length,
    (i) => text[i] === '*',
    (i, j) => text[i] === '?' || text[i] === name[j],
  );

/**
 * True if a sequence with wildcards for any number of elements matches a whole other sequence.
 *
 * @param isWildcard - true if element `i` of the first is such a wildcard
 * @param fits - true if element `i` of the first matches element `j` of the second
 */
function matches(
  length: number,
  otherLength: number,
  isWildcard: (i: number) => boolean,
  fits: (i: number, j: number) => boolean,
): boolean {
  let i = 0;
  let j = 0;
  let wildcard = -1;
  let resume = 0;
  while (j < otherLength) {
    if (i < length && isWildcard(i)) {
      wildcard = i++;
      resume = j;
    } else if (i < length && fits(i, j)) {
      i++;
      j++;
    } else if (wildcard >= 0) {
      i = wildcard + 1;
      j = ++resume;
    } else return false;
  }
  while (i < length && isWildcard(i)) i++;
  return i === length;
}
