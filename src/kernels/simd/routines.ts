type Address = number;

/** The loops over many numbers. They work in a given memory, and an address counts bytes. */
export interface Routines {
  /** `w = g·v / max(‖v‖, eps)`, and the norms, of `count` slices of `length` numbers. */
  forwardRows(
    g: Address,
    v: Address,
    w: Address,
    norms: Address,
    count: number,
    length: number,
    eps: number,
  ): void;
  /** `dg = Σ dW·u`, `dv = g/‖v‖·(dW − u·dg)` of the same slices. */
  backwardRows(
    dW: Address,
    g: Address,
    v: Address,
    norms: Address,
    dg: Address,
    dv: Address,
    count: number,
    length: number,
    eps: number,
  ): void;
  /** `Σ v²` of n numbers. */
  squares(v: Address, n: number): number;
  /** `Σ u·v` of n numbers, where v has this norm. */
  products(u: Address, v: Address, n: number, norm: number): number;
  /** `w = s·v` of n numbers. */
  scale(v: Address, w: Address, n: number, s: number): void;
  /** `dv = a·(dW − c·v)` of n numbers. */
  combine(dW: Address, v: Address, dv: Address, n: number, a: number, c: number): void;
  /** `sums += Σ v²` of each column; sums are float64. */
  addSquares(v: Address, sums: Address, size: number, width: number): void;
  /** `sums += Σ u·v` of each column; `partial` is room for one float32 for each column. */
  addProducts(u: Address, v: Address, sums: Address, partial: Address, size: number, width: number): void;
  /** Computes the same as addProducts, or addSquares if u is v, for numbers whose products float32 cannot hold. */
  addProductsInFloat64(u: Address, v: Address, sums: Address, size: number, width: number): void;
  /**
   * Turns sums of squares, of n numbers each, into float32 factors of v, and writes the norms. The factors may
   * overwrite the sums, and the norms may overwrite g. Returns 0 if float64 is needed; the results are unusable then.
   */
  finishForward(
    sums: Address,
    factors: Address,
    g: Address,
    norms: Address,
    count: number,
    n: number,
    eps: number,
  ): number;
  /**
   * Turns sums of products, of n numbers each, into the float32 factors of combineColumns, and writes dg. a may
   * overwrite the sums, and dg may overwrite g. Returns 0 if float64 is needed; the results are unusable then.
   */
  finishBackward(
    sums: Address,
    a: Address,
    c: Address,
    g: Address,
    norms: Address,
    dg: Address,
    count: number,
    n: number,
    eps: number,
  ): number;
  /** `w = s·v`, with a float32 factor for each column. */
  scaleColumns(v: Address, w: Address, s: Address, size: number, width: number): void;
  /** `w = s·v`, with a float64 factor for each column. */
  scaleColumnsInFloat64(v: Address, w: Address, s: Address, size: number, width: number): void;
  /** `dv = a·(dW − c·v)`, with two float32 factors for each column. */
  combineColumns(
    dW: Address,
    v: Address,
    dv: Address,
    a: Address,
    c: Address,
    size: number,
    width: number,
  ): void;
  /** `dv = a·(dW − c·v)`, with two float64 factors for each column. */
  combineColumnsInFloat64(
    dW: Address,
    v: Address,
    dv: Address,
    a: Address,
    c: Address,
    size: number,
    width: number,
  ): void;
}
