/** A pairing of two lists of equal length. */
export interface Assignment {
  /** The index of the item of each place. */
  readonly itemOf: readonly number[];
  /** Groups of two or more places that can exchange their items, so that other assignments fit, too. */
  readonly exchangeable: readonly (readonly number[])[];
}

/**
 * Pairs each place with one item that fits.
 *
 * Another pairing exists exactly if some places can pass their items on in a circle, each to a place that it fits. The
 * strongly connected components of the graph of such steps are the groups of {@link Assignment.exchangeable}.
 *
 * @returns null if no complete pairing exists
 */
export function assign(size: number, fits: (place: number, item: number) => boolean): Assignment | null {
  const numbers = [...Array(size).keys()];
  const fitting = numbers.map((place) => new Set(numbers.filter((item) => fits(place, item))));
  const itemOf: number[] = Array(size).fill(-1);
  const placeOf: number[] = Array(size).fill(-1);
  for (let place = 0; place < size; place++) {
    if (!placed(place, fitting, itemOf, placeOf)) return null;
  }
  const next = itemOf.map((item, from) =>
    numbers.filter((place) => place !== from && fitting[place]!.has(item)),
  );
  return { itemOf, exchangeable: componentsOf(next).filter((group) => group.length > 1) };
}

/** Finds an item for a place and moves others by a shortest augmenting path. */
function placed(
  start: number,
  fitting: readonly ReadonlySet<number>[],
  itemOf: number[],
  placeOf: number[],
): boolean {
  const cameFrom = new Map<number, number>();
  const queue = [start];
  for (const place of queue) {
    for (const item of fitting[place]!) {
      if (cameFrom.has(item)) continue;
      cameFrom.set(item, place);
      const other = placeOf[item]!;
      if (other >= 0) {
        queue.push(other);
        continue;
      }
      let free = item;
      while (free >= 0) {
        const at = cameFrom.get(free)!;
        const before = itemOf[at]!;
        itemOf[at] = free;
        placeOf[free] = at;
        free = before;
      }
      return true;
    }
  }
  return false;
}

/**
 * Returns the strongly connected components of a graph: the nodes that are reached from the first node, forwards and
 * backwards.
 */
function componentsOf(next: readonly (readonly number[])[]): number[][] {
  const before: number[][] = next.map(() => []);
  for (const [from, all] of next.entries()) for (const to of all) before[to]!.push(from);
  const left = new Set(next.keys());
  const components: number[][] = [];
  for (const start of next.keys()) {
    if (!left.has(start)) continue;
    const [ahead, behind] = [reached(start, next), reached(start, before)];
    const component = [...left].filter((node) => ahead.has(node) && behind.has(node));
    for (const node of component) left.delete(node);
    components.push(component);
  }
  return components;
}

function reached(start: number, next: readonly (readonly number[])[]): Set<number> {
  const found = new Set([start]);
  for (const node of found) for (const other of next[node]!) found.add(other);
  return found;
}
