import type { CheckpointFile } from './checkpointFile.ts';
import { sizeOf } from './storedTensor.ts';

/** A normalized weight of a file, found by the names of its parts. */
export interface NormalizedName {
  /** The plain name of the weight. */
  readonly name: string;
  readonly kind: 'weightNorm' | 'spectralNorm';
  readonly spelling: 'modern' | 'legacy';
  /** The names of g and v, or of W, u and v. */
  readonly parts: readonly string[];
}

/** A weight that is parametrized in a way that names do not tell. */
export interface ParametrizedName {
  readonly name: string;
  readonly kind: 'unknown';
  readonly parts: readonly string[];
}

/** The ends of the names of the parts, in each spelling. */
const endings = {
  weightNorm: { modern: ['original0', 'original1'], legacy: ['_g', '_v'] },
  spectralNorm: { modern: ['original', '0._u', '0._v'], legacy: ['_orig', '_u', '_v'] },
} as const;

const kinds = ['weightNorm', 'spectralNorm'] as const;

/** The name of a part in a spelling. */
export function partName(
  { name, kind }: Pick<NormalizedName, 'name' | 'kind'>,
  part: number,
  spelling: 'modern' | 'legacy',
): string {
  const ending = endings[kind][spelling][part]!;
  if (spelling === 'legacy') return name + ending;
  const dot = name.lastIndexOf('.') + 1;
  return `${name.slice(0, dot)}parametrizations.${name.slice(dot)}.${ending}`;
}

/**
 * The parametrized weights of a file, by the names and shapes of its tensors: `weight_g` with `weight_v`,
 * `parametrizations.weight.original0` with `original1`, and so on.
 */
export function normalizedNames(file: CheckpointFile): (NormalizedName | ParametrizedName)[] {
  const names = new Set(file.names);
  const found = new Map<string, NormalizedName | ParametrizedName>();
  const add = (
    name: string,
    isOnly: (parts: readonly string[]) => boolean,
    spelling: 'modern' | 'legacy',
  ) => {
    for (const kind of kinds) {
      const parts = endings[kind][spelling].map((_, part) => partName({ name, kind }, part, spelling));
      if (found.has(name) || !parts.every((part) => names.has(part)) || !isOnly(parts)) continue;
      if (fits(file, kind, parts)) found.set(name, { name, kind, spelling, parts });
    }
  };
  const modern = groupedByHost(file.names);
  for (const [name, parts] of modern) {
    add(name, (wanted) => wanted.length === parts.length, 'modern');
    if (!found.has(name)) found.set(name, { name, kind: 'unknown', parts });
  }
  for (const name of file.names) {
    const legacy = /^(.+)_(?:g|orig)$/s.exec(name)?.[1];
    if (legacy !== undefined) add(legacy, () => true, 'legacy');
  }
  return [...found.values()];
}

/** What stands below `parametrizations`, by the plain names of the tensors. */
function groupedByHost(names: readonly string[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const match = /^(|.*?\.)parametrizations\.([^.]+)\./s.exec(name);
    if (match === null) continue;
    const plain = `${match[1]}${match[2]}`;
    const group = groups.get(plain);
    if (group === undefined) groups.set(plain, [name]);
    else group.push(name);
  }
  return groups;
}

/** Whether the shapes are those of the parts of such a weight. */
function fits(file: CheckpointFile, kind: NormalizedName['kind'], parts: readonly string[]): boolean {
  const shapes = parts.map((part) => file.info(part).shape);
  if (kind === 'weightNorm') {
    const [g, v] = shapes as [readonly number[], readonly number[]];
    return (
      g.length === 0 ||
      (g.length === v.length && g.every((length, axis) => length === 1 || length === v[axis]))
    );
  }
  const [W, u, v] = shapes as [readonly number[], readonly number[], readonly number[]];
  return (
    u.length === 1 && v.length === 1 && W.includes(u[0]!) && sizeOf(W) === u[0]! * v[0]! && sizeOf(W) > 0
  );
}
