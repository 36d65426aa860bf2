/** Returns the class name of a value for messages. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== 'object' && typeof value !== 'function') return typeof value;
  if (typeof value === 'function') return value.name ? `function ${value.name}` : 'a function';
  const type: unknown = Object.getPrototypeOf(value)?.constructor;
  return typeof type === 'function' && type.name ? type.name : 'Object';
}

/** Returns ` Did you mean 'weight'?` if a known name is close to the name that was asked for, else the empty string. */
export function didYouMean(asked: string, known: Iterable<string>): string {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(asked.length / 3)) + 1;
  for (const name of known) {
    const distance = editDistance(asked.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best === undefined ? '' : ` Did you mean '${best}'?`;
}

/** The known names that are closest to the one asked for, the closest first. */
export const nearest = (asked: string, known: Iterable<string>, count: number): string[] =>
  [...known]
    .map((name) => [editDistance(asked.toLowerCase(), name.toLowerCase()), name] as const)
    .sort(
      ([a, first], [b, second]) =>
        a - b || Math.abs(first.length - asked.length) - Math.abs(second.length - asked.length),
    )
    .slice(0, count)
    .map(([, name]) => name);

/** The Damerau–Levenshtein distance. An adjacent swap counts as one step, so `wieght` is one step from `weight`. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 8) return Number.POSITIVE_INFINITY;
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let distance = Math.min(substitution, rows[i - 1]![j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        distance = Math.min(distance, rows[i - 2]![j - 2]! + 1);
      }
      row.push(distance);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

/** Formats a count with its noun: `1 tensor`, `2,000 tensors`. */
export const pluralize = (count: number, noun: string): string =>
  `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
