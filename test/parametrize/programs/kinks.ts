import { type ReferenceTensor, stepsOf } from './reference.ts';

/** More columns than this on kinks are tried with one side at a time. */
const mostSides = 10;

/** The distance at which results are the same, up to roundings. */
const near = 1e-5;

/** How far apart two lists of numbers are, relative to the larger ones. */
export const distanceOf = (actual: readonly number[], wanted: readonly number[]): number =>
  actual.length === wanted.length
    ? Math.max(0, ...actual.map((x, i) => Math.abs(x - wanted[i]!))) / Math.max(1, ...wanted.map(Math.abs))
    : Number.POSITIVE_INFINITY;

/** Whether a norm lies on a limit in an evaluation of the tensors, within rounding. Forgets what was chosen before. */
export function liesOnKink(nodes: readonly ReferenceTensor[], evaluateAll: () => unknown): boolean {
  for (const { kinks } of nodes.flatMap(stepsOf)) kinks?.clear();
  evaluateAll();
  return nodes.flatMap(stepsOf).some(({ kinks }) => kinks !== undefined && kinks.size > 0);
}

/**
 * Computes gradients of the reference. Where a norm lies on a limit, within rounding, the derivative from either side is
 * right: this takes for each such column the side with which the numbers come nearest to the actual ones, and the reference
 * keeps to it. All evaluations of a step take the same side.
 */
export function gradientsNearest(
  nodes: readonly ReferenceTensor[],
  actual: readonly number[],
  compute: () => number[],
): number[] {
  const restore = nodes.flatMap(stepsOf).flatMap(({ saveState }) => (saveState ? [saveState()] : []));
  for (const { kinks } of nodes.flatMap(stepsOf)) kinks?.clear();
  let best = compute();
  const sides = nodes
    .flatMap(stepsOf)
    .flatMap(({ kinks }) => [...(kinks?.keys() ?? [])].map((column) => [kinks!, column] as const));
  const take = (chosen: readonly boolean[]): void =>
    sides.forEach(([kinks, column], i) => void kinks.set(column, chosen[i]!));
  let chosen = sides.map(([kinks, column]) => kinks.get(column)!);
  const tries =
    sides.length <= mostSides
      ? Array.from({ length: 2 ** sides.length }, (_, bits) => sides.map((_, i) => ((bits >> i) & 1) === 1))
      : sides.map((_, at) => chosen.map((side, i) => (i === at ? !side : side)));
  for (const candidate of tries) {
    if (distanceOf(actual, best) < near) break;
    for (const one of restore) one();
    take(candidate);
    const numbers = compute();
    if (distanceOf(actual, numbers) < distanceOf(actual, best)) [best, chosen] = [numbers, candidate];
  }
  take(chosen);
  return best;
}
