// Weight normalization in float64, element by element from its definition, to compare with.

/** Which slice each element of a tensor belongs to, if the kept axes are `kept`; row-major. */
function sliceOfEach(shape: readonly number[], kept: readonly number[]): { slice: number[]; slices: number } {
  const size = shape.reduce((product, length) => product * length, 1);
  const axes = kept.map((axis) => (axis < 0 ? axis + shape.length : axis));
  const slice = Array.from({ length: size }, (_, index) => {
    let rest = index;
    const position = [...shape]
      .reverse()
      .map((length) => {
        const coordinate = rest % length;
        rest = Math.floor(rest / length);
        return coordinate;
      })
      .reverse();
    return position.reduce(
      (number, x, axis) => (axes.includes(axis) ? number * shape[axis]! + x : number),
      0,
    );
  });
  return { slice, slices: axes.reduce((product, axis) => product * shape[axis]!, 1) };
}

export interface Definition {
  /** How many norms there are. */
  readonly slices: number;
  norms(v: readonly number[]): number[];
  /** `W = g · v / max(‖v‖, eps)`; 0 where v is. */
  weight(g: readonly number[], v: readonly number[]): number[];
  /** The gradients of `Σ dW · W`. */
  gradient(g: readonly number[], v: readonly number[], dW: readonly number[]): { dg: number[]; dv: number[] };
}

export function definition(shape: readonly number[], kept: readonly number[], eps = 0): Definition {
  const { slice, slices } = sliceOfEach(shape, kept);
  const sums = (numbers: readonly number[]): number[] => {
    const sum = new Array<number>(slices).fill(0);
    numbers.forEach((x, i) => {
      sum[slice[i]!]! += x;
    });
    return sum;
  };
  const norms = (v: readonly number[]): number[] => sums(v.map((x) => x * x)).map(Math.sqrt);
  const divisors = (v: readonly number[]): number[] => norms(v).map((norm) => Math.max(norm, eps) || 1);
  return {
    slices,
    norms,
    weight(g, v) {
      const divisor = divisors(v);
      return v.map((x, i) => (g[slice[i]!]! * x) / divisor[slice[i]!]!);
    },
    gradient(g, v, dW) {
      const [norm, divisor] = [norms(v), divisors(v)];
      const dg = sums(v.map((x, i) => (dW[i]! * x) / divisor[slice[i]!]!));
      const dv = v.map((x, i) => {
        const s = slice[i]!;
        if (norm[s] === 0) return 0;
        const along = norm[s]! > eps ? (x / norm[s]!) * dg[s]! : 0;
        return (g[s]! / divisor[s]!) * (dW[i]! - along);
      });
      return { dg, dv };
    },
  };
}

/** The derivative of `f` by each number, by central differences. */
export function centralDifferences(f: (x: number[]) => number, x: readonly number[], step = 1e-5): number[] {
  return x.map((_, i) => {
    const at = (shift: number): number => f(x.map((value, j) => (i === j ? value + shift : value)));
    return (at(step) - at(-step)) / (2 * step);
  });
}
