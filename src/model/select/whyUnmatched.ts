import { joinPath } from '../../core/paths.ts';
import { nearest, pluralize } from '../../core/text.ts';
import type { FoundCandidate } from './candidate.ts';
import { type Conditions, isOfType, matchOf } from './conditions.ts';
import type { CompiledPattern } from './pattern.ts';
import type { HostType } from './selector.ts';

/** The conditions that no selected tensor fulfils. */
export interface Unused {
  readonly patterns: ReadonlySet<CompiledPattern>;
  readonly types: ReadonlySet<HostType>;
  readonly names: ReadonlySet<string>;
}

/** Says for each condition that nothing fulfils why that is so. */
export function whyUnmatched(
  candidates: readonly FoundCandidate[],
  conditions: Conditions,
  { patterns, types, names }: Unused,
): string[] {
  return [
    ...[...patterns].map((pattern) => `${pattern.text} ${whyPattern(candidates, conditions, pattern)}`),
    // Where no pattern matches anything, its reason says enough.
    ...(patterns.size === conditions.patterns.length
      ? []
      : [
          ...[...types].map((type) => `type ${textOfType(type)} ${whyType(candidates, type)}`),
          ...[...names].map((name) => `name '${name}' ${whyName(candidates, name)}`),
        ]),
  ];
}

function whyPattern(
  candidates: readonly FoundCandidate[],
  conditions: Conditions,
  pattern: CompiledPattern,
): string {
  const { types, excluded, names } = conditions;
  const named = candidates.filter((candidate) => pattern.match(candidate) !== null);
  const withType = (all: readonly FoundCandidate[]): readonly FoundCandidate[] =>
    types === null ? all : all.filter((one) => types.some((type) => isOfType(one, type)));
  if (named.length === 0)
    return `matches nothing${nearestPaths(candidates, withType(candidates), conditions, pattern)}`;
  const shown = listOfHosts(named);
  const ofType = withType(named);
  if (ofType.length === 0) {
    return `matches ${shown}, but no ${types!.map(textOfType).join(' or ')}`;
  }
  const wanted = ofType.filter((one) => matchOf(pattern, one, conditions) !== null);
  if (wanted.length === 0) {
    const known = [...new Set(ofType.map(({ tensor }) => tensor))].join(', ');
    const lacking = names === null ? 'no main weight' : `no ${names.map((name) => `'${name}'`).join(' or ')}`;
    return `matches ${listOfHosts(ofType)} with ${lacking}; name some of ${known}`;
  }
  const by = excluded.filter((one) => wanted.some((candidate) => one.match(candidate) !== null));
  return `matches ${listOfHosts(wanted)}, excluded by ${by.map(({ text }) => text).join(' and ')}`;
}

function whyType(candidates: readonly FoundCandidate[], type: HostType): string {
  const fitting = candidates.filter((candidate) => isOfType(candidate, type));
  if (fitting.length > 0) return `is that of ${listOfHosts(fitting)}, which no other condition allows`;
  const known = [...new Set(candidates.map((candidate) => candidate.type))];
  return `is that of no host with tensors; the model has ${known.join(', ') || 'none'}`;
}

function whyName(candidates: readonly FoundCandidate[], name: string): string {
  const fitting = candidates.filter(({ tensor }) => tensor === name);
  if (fitting.length > 0) return `is in ${listOfHosts(fitting)}, which no other condition allows`;
  const known = [...new Set(candidates.map(({ tensor }) => tensor))];
  return `is that of no tensor; nearest: ${nearest(name, known, 3).join(', ') || 'none'}`;
}

/** Names the nearest paths, of the wanted type if there are any; for a predicate, the hosts that it was asked about. */
function nearestPaths(
  all: readonly FoundCandidate[],
  ofType: readonly FoundCandidate[],
  { types }: Conditions,
  { spelling }: CompiledPattern,
): string {
  if (all.length === 0) return ', the model has no tensors';
  const hosts = ofType.length === 0 ? all : ofType;
  const kind = types === null || ofType.length === 0 ? '' : ` ${types.map(textOfType).join(' or ')}`;
  if (spelling === null) return `; the model has ${listOfHosts(hosts)}`;
  const paths = hosts.flatMap((one) =>
    one.paths.flatMap((path) => [path, joinPath(path, one.tensor)]).filter((path) => path !== ''),
  );
  const near = nearest(spelling, new Set(paths), 3).map((path) => `'${path}'`);
  return `; nearest${kind}: ${near.join(', ')}`;
}

function listOfHosts(candidates: readonly FoundCandidate[]): string {
  const hosts = [...new Map(candidates.map(({ path, type }) => [path, type]))];
  const shown = hosts.slice(0, 3).map(([path, type]) => (path === '' ? type : `${type} '${path}'`));
  const rest = hosts.length - shown.length;
  return rest > 0
    ? `${shown.join(', ')} and ${pluralize(rest, 'more host')}`.replace('more hosts', 'more')
    : shown.join(', ');
}

const textOfType = (type: HostType): string => (typeof type === 'string' ? `'${type}'` : type.name);
