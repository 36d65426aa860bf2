import type { Mutation } from './mutations.ts';

/** Damages of the map and of the right inverse of each entry of the catalog, which its own tests must notice. */
const damages: Readonly<Record<string, readonly (readonly [find: string, replacement: string])[]>> = {
  almostOrthogonal: [
    ['transpose(tril(s, -1))', 'transpose(tril(s))'],
    ['tf.mul(2 * lambda, bounded)', 'tf.mul(lambda, bounded)'],
  ],
  aol: [
    ['tf.abs(matMulTN(unit, unit))', 'matMulTN(unit, unit)'],
    ['tf.sqrt(tf.add(sums, isEmpty))', 'tf.add(sums, isEmpty)'],
  ],
  ball: [
    ['tf.square(tf.div(X, this.radius))', 'tf.square(X)'],
    ['tf.mul(tf.mul(distance, radius), scaledTo(1, W, axes))', 'tf.mul(distance, scaledTo(1, W, axes))'],
  ],
  centeredWeightNorm: [
    ['weightNormOp(g, center(v, axes), axes, 0)', 'weightNormOp(g, v, axes, 0)'],
    ['normOp(center(W, axes), axes)', 'normOp(W, axes)'],
  ],
  circulant: [
    ['tf.reshape(tf.reverse(means, 1), shape.slice(0, -1))', 'tf.reshape(means, shape.slice(0, -1))'],
    ['padded), n)', 'padded), n - 1)'],
  ],
  correlation: [
    ['this.cholesky ? L : matMulNT(L, L)', 'matMulNT(L, L)'],
    ['this.cholesky ? ofFactor(batchOf(W)) : ofMatrix(batchOf(W))', 'ofMatrix(batchOf(W))'],
  ],
  dora: [
    ['tf.mul(tf.div(m, divisor), tf.sub(1, none))', 'tf.div(m, divisor)'],
    ['stopGradient(() => tf.maximum(tf.add(length, none), least))', 'norm(V, layout.reduced)'],
  ],
  doublyStochastic: [
    ['i < 2 * this.iterations', 'i < this.iterations'],
    ['transpose(logSoftmax(last))', 'logSoftmax(last)'],
  ],
  dropConnect: [
    ['this.training ? zeroAtRandom(X, this.p) : tf.clone(X)', 'zeroAtRandom(X, this.p)'],
    ['!this.training || this.p === 0', 'true'],
  ],
  equalizedLearningRate: [
    ['tf.mul(V, this.factorOf(V))', 'tf.div(V, this.factorOf(V))'],
    ['tf.div(W, this.factorOf(W))', 'W'],
  ],
  fakeQuantize: [
    ['tf.where(moves, scale, this.scale)', 'this.scale'],
    [
      'learned ? learnedFakeQuantizeOp(seen, grid, factor) : fakeQuantizeOp(seen, grid)',
      'fakeQuantizeOp(seen, grid)',
    ],
    ['1 / Math.sqrt(layout.elements * range[1])', '1'],
    ["this.observer === 'minMax' ? null : this.averagingConstant", 'null'],
  ],
  fixedRank: [
    ['upperWith(x, softplus(diagonalOf(x)))', 'upperWith(x, diagonalOf(x))'],
    ['softplusInverse(lifted(diagonalOf(R), 1e-6))', 'lifted(diagonalOf(R), 1e-6)'],
  ],
  grassmannian: [
    ['layout.tall(X), false)', 'layout.tall(X), true)'],
    ['assignFields(this, { base });', 'base.dispose();'],
  ],
  hurwitz: [
    ['tf.sub(triangle, transpose(triangle))', 'tf.add(triangle, transpose(triangle))'],
    ['tf.mul(q, 0.5)', 'q'],
    ['shifted(layout.matrices(A), alpha)', 'layout.matrices(A)'],
  ],
  interval: [
    ['tf.sub(tf.log(fromMin), tf.log(fromMax))', 'tf.log(fromMin)'],
    ['min === 0 ? above : tf.add(above, min)', 'above'],
  ],
  invertible: [
    ['upperWith(x, softplus(diagonalOf(x)))', 'upperWith(x, diagonalOf(x))'],
    ['softplusInverse(lifted(diagonalOf(R), 1e-6))', 'lifted(diagonalOf(R), 1e-6)'],
  ],
  kronecker: [
    ['tf.transpose(blocks, [0, 1, 3, 2, 4])', 'blocks'],
    ['tf.where(isZero, 1, length)', 'tf.where(isZero, 1, sigma)'],
  ],
  lora: [['tf.tidy(() => this.unadapted(W))', 'W']],
  loraBias: [
    ['tf.tidy(() => this.unadapted(b))', 'b'],
    ['weight * scalingOf(settings)', 'weight'],
  ],
  lowRank: [
    ['tf.reshape(tf.mul(Q, transpose(root)), left)', 'tf.reshape(Q, left)'],
    ['tf.div(tf.mul(B, tf.sub(1, isNegligible)), root)', 'tf.div(B, root)'],
  ],
  maxNorm: [['maxValue: this.limit', 'maxValue: 2 * this.limit']],
  minMaxNorm: [
    [
      "axesOf('minMaxNorm', this.axis, X), this)",
      "axesOf('minMaxNorm', this.axis, X), { ...this, rate: 1 })",
    ],
  ],
  nonNeg: [
    ['return tf.abs(X)', 'return tf.relu(X)'],
    ['return tf.relu(W)', 'return W'],
  ],
  ordered: [['tf.tidy(() => onLastAxis(W, axis, inverse))', 'W']],
  orthogonal: [['this.layout.fromTall(factorAt(this, this.layout.tall(X)))', 'factorAt(this, X)']],
  positive: [
    ['tf.add(forward(X), this.min)', 'forward(X)'],
    ['tf.sub(W, this.min)', 'W'],
  ],
  positiveDefinite: [
    ['tf.add(W, tf.mul(this.min, tf.eye(X.shape.at(-1)!)))', 'W'],
    ['positiveTriangle(batchOf(X))', 'batchOf(X)'],
    ['cholesky(psd(S, floorOf(S)))', 'cholesky(S)'],
  ],
  positiveSemidefinite: [
    ['const P = psd(S, 0);', 'const P = S;'],
    ['rank === n ? pivotedCholesky(P, n, size) : factors(P, rank, size)', 'pivotedCholesky(P, rank, size)'],
  ],
  prune: [
    ['return tf.mul(X, this.mask)', 'return tf.clone(X)'],
    ["nextMask('prune', target, map.mask, options)", "nextMask('prune', target, null, options)"],
  ],
  simplex: [
    ['tf.sub(logarithm, tf.mean(logarithm, axes, true))', 'logarithm'],
    ['onLastAxis(X, axis, softmax)', 'softmax(X)'],
  ],
  skew: [
    ['tf.sub(triangle, transpose(triangle))', 'tf.add(triangle, transpose(triangle))'],
    ['return this.triangle(A);', 'return transpose(this.triangle(A));'],
  ],
  specialLinear: [
    ['exp(tf.sub(logs, tf.mean(logs, 1, true)))', 'exp(logs)'],
    ['readonly special = true;', 'readonly special = false;'],
    ['tf.div(R, tf.expandDims(root, 2))', 'R'],
  ],
  spectralNorm: [
    ['this.iterate(W, warmUp)', 'this.iterate(W, 0)'],
    ['weightNormOp(tf.scalar(1), W, [0], this.eps)', 'W'],
  ],
  sphere: [
    ['tf.sub(X, tf.mul(tf.sum(tf.mul(X, base), axes, true), base))', 'X'],
    ['radius === 1 ? unit : tf.mul(unit, radius)', 'unit'],
  ],
  stableDiagonal: [
    ['exp(tf.neg(exp(X)))', 'exp(tf.neg(X))'],
    ["tf.clipByValue(tf.cast(W, 'float32'), MARGIN, 1 - MARGIN)", 'W'],
  ],
  symmetric: [
    ['lower ? tril(X, -1) : triu(X, 1)', 'lower ? tril(X) : triu(X)'],
    ['this.lower ? tril(A) : triu(A)', 'triu(A)'],
  ],
  toeplitz: [['tf.tensor1d(counts)', 'rows']],
  triangular: [
    ["this.map === 'exp' ? exp : softplus", 'softplus'],
    ['tf.mul(positive(tf.mul(X, I)), I)', 'tf.mul(X, I)'],
    ["this.map === 'exp' ? tf.log : softplusInverse", 'softplusInverse'],
  ],
  unitNorm: [
    ["scaledTo(1, X, axesOf('unitNorm', this.axis, X))", "scaledTo(1, X, axesOf('unitNorm', [0], X))"],
  ],
  weightNorm: [
    ["this.scale === 'log' ? exp(scale) : scale", 'scale'],
    ['this.eps > 0 ? tf.maximum(length, this.eps) : length', 'length'],
  ],
  weightStandardization: [
    ['tf.div(scaled, Math.sqrt(sizeAlong(V, axes)))', 'scaled'],
    ['tf.mul(g, standardized)', 'standardized'],
    ['tf.mul(std, Math.sqrt(sizeAlong(W, axes)))', 'std'],
  ],
  zeroMean: [
    ["center(X, axesOf('zeroMean', this.axis, X))", 'X'],
    ['tf.where(isConstant(W, axes), 0, W)', 'W'],
  ],
};

export const catalogMutations: readonly Mutation[] = Object.entries(damages).flatMap(([entry, edits]) =>
  edits.map((edit) => ({
    name: `${entry}: ${edit[0]}`,
    law: 'L1',
    file: `src/parametrizations/${entry}.ts`,
    edits: [edit],
    tests: [`test/parametrizations/${entry}`],
  })),
);
