import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import type { MatrixLayout } from '../matrix/matrixLayout.ts';
import type { OrthogonalFactor, OrthogonalMap } from './orthogonalFactor.ts';

/**
 * Returns true if a map has a base.
 *
 * @throws {@link ParametrizeError} `OPTION` if a base is asked for, which the map has not
 */
export function hasBaseOf(
  { useTrivialization }: { readonly useTrivialization?: boolean },
  map: OrthogonalMap,
): boolean {
  if (map !== 'polar') return useTrivialization ?? true;
  if (useTrivialization !== true) return false;
  throw refusal(
    'OPTION',
    'orthogonal',
    "useTrivialization is true, but the map 'polar' has no base",
    'Leave useTrivialization out: any value can be assigned without it.',
  );
}

/**
 * Refuses `special` for maps that do not keep the determinant, and for matrices without one.
 *
 * @throws {@link ParametrizeError} `OPTION`, `SHAPE`
 */
export function checkSpecial(
  { special, orthogonalMap }: OrthogonalFactor,
  hasBase: boolean,
  layout: MatrixLayout,
): void {
  if (!special) return;
  checkRotations('orthogonal', layout);
  if (hasBase || (orthogonalMap !== 'polar' && typeof orthogonalMap !== 'function')) return;
  throw refusal(
    'OPTION',
    'orthogonal',
    `special is true, but ${orthogonalMap === 'polar' ? "the map 'polar'" : 'a function without a base'} does not keep the determinant`,
    "Use the map 'matrixExp', 'cayley' or 'householder'.",
  );
}

/**
 * Refuses matrices without a determinant.
 *
 * @throws {@link ParametrizeError} `SHAPE`
 */
export function checkRotations(caller: string, { rows, columns, shape }: MatrixLayout): void {
  if (rows === columns) return;
  throw refusal(
    'SHAPE',
    caller,
    `special is true, but the matrices of shape ${formatShape(shape)} are ${rows} × ${columns}, and only square ones have a determinant`,
    'Leave special out.',
  );
}
