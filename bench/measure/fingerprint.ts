/** Two numbers that tell tensors of one shape apart, and that two programs can compare. */
export interface Fingerprint {
  /** `Σ xᵢ·sin(i + 1)` */
  readonly projection: number;
  /** `√(Σ xᵢ²)` */
  readonly norm: number;
}

/** The fingerprint of a tensor, of whatever library. */
export async function fingerprint(tensor: { data(): Promise<ArrayLike<number>> }): Promise<Fingerprint> {
  let projection = 0;
  let squares = 0;
  const numbers = await tensor.data();
  for (let i = 0; i < numbers.length; i++) {
    projection += numbers[i]! * Math.sin(i + 1);
    squares += numbers[i]! ** 2;
  }
  return { projection, norm: Math.sqrt(squares) };
}

/**
 * Throws unless two programs computed the same: a benchmark of different work would say nothing.
 *
 * @param tolerance - allowed difference, relative to the norm
 */
export function checkAgreement(
  name: string,
  actual: readonly Fingerprint[],
  expected: readonly Fingerprint[],
  tolerance = 1e-3,
): void {
  const differs = (a: number, b: number, norm: number) => !(Math.abs(a - b) <= tolerance * norm);
  const wrong = expected.findIndex(({ projection, norm }, i) => {
    const other = actual[i];
    return (
      other === undefined || differs(other.projection, projection, norm) || differs(other.norm, norm, norm)
    );
  });
  if (wrong < 0 && actual.length === expected.length) return;
  throw new Error(
    `${name} computes something else: result ${wrong} has ${JSON.stringify(actual[wrong])}, expected ${JSON.stringify(expected[wrong])}.`,
  );
}
