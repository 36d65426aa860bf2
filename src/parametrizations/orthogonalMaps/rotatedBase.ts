import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { Module } from '../../nn/module/module.ts';
import type { MatrixLayout } from '../matrix/matrixLayout.ts';
import {
  factorAt,
  newSuitableBase,
  type OrthogonalFactor,
  type OrthogonalMap,
  startAt,
} from './orthogonalFactor.ts';

/** An orthogonal factor of a map with several: a module with its own base, if it has one. */
export class RotatedBase extends Module implements OrthogonalFactor {
  readonly orthogonalMap: OrthogonalMap;
  declare readonly base?: Variable;

  /** @param hasBase - true for a base, which has the size of the factor, or at most twice that */
  constructor(layout: MatrixLayout, orthogonalMap: OrthogonalMap, hasBase: boolean) {
    super();
    this.orthogonalMap = orthogonalMap;
    if (hasBase) this.base = newSuitableBase(layout);
  }

  /** Returns the factor of X, [b, n, k]. */
  override forward(X: Tensor): Tensor {
    return factorAt(this, X);
  }

  /** Returns the X of a factor, and writes the base. */
  start(factor: Tensor): Tensor {
    return startAt(this, factor);
  }
}
