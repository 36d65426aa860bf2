import type { HookKeys } from './hookKeys.ts';

/**
 * `weight_g` and `weight_v`: `W = g · v / ‖v‖`. The axes along which g has more than one element have separate norms.
 */
export const weightNormKeys = {
  kind: 'weightNorm',
  suffixes: { original0: '_g', original1: '_v' },
  rule: 'g · v / ‖v‖',
  whole: 'original1',
  fits({ original0, original1 }, axes) {
    const [g, v] = [original0!.shape, original1!.shape];
    if (g.length === 0) return axes === undefined || axes.length === 0;
    const isNorm = (size: number, axis: number): boolean =>
      axes === undefined ? size === 1 || size === v[axis] : size === (axes.includes(axis) ? v[axis] : 1);
    return axes?.length !== 0 && g.length === v.length && g.every(isNorm);
  },
  value({ original0, original1 }, math) {
    const [g, v] = [original0!, original1!];
    const reduced = v.shape.map((_, axis) => axis).filter((axis) => (g.shape[axis] ?? 1) === 1);
    return math.mul(math.unit(v, reduced), g);
  },
} satisfies HookKeys;
