export type {
  AdapterInitial,
  AdapterOptions,
  AdapterSettings,
  LoraBiasOptions,
  ScalingSettings,
  SeveralAdapters,
} from './adapters/adapterOptions.ts';
export type { Adapters } from './adapters/adapters.ts';
export type { RankAxis } from './adapters/factorLayout.ts';
export type { LowRankAdapters } from './adapters/lowRankAdapters.ts';
export { AlmostOrthogonal, type AlmostOrthogonalOptions, almostOrthogonal } from './almostOrthogonal.ts';
export { Aol, type AolOptions, aol } from './aol.ts';
export type { KeptAxes } from './axes/keptAxes.ts';
export type { NormAxis } from './axes/normAxes.ts';
export { Ball, type BallOptions, ball } from './ball.ts';
export {
  CenteredWeightNorm,
  type CenteredWeightNormOptions,
  centeredWeightNorm,
} from './centeredWeightNorm.ts';
export { Circulant, circulant } from './circulant.ts';
export { Correlation, type CorrelationOptions, correlation } from './correlation.ts';
export { Dora, type DoraOptions, dora } from './dora.ts';
export { DoublyStochastic, type DoublyStochasticOptions, doublyStochastic } from './doublyStochastic.ts';
export { DropConnect, type DropConnectOptions, dropConnect } from './dropConnect.ts';
export {
  EqualizedLearningRate,
  type EqualizedLearningRateOptions,
  equalizedLearningRate,
} from './equalizedLearningRate.ts';
export { FakeQuantize, type FakeQuantizeOptions, fakeQuantize } from './fakeQuantize.ts';
export { FixedRank, type FixedRankOptions, fixedRank } from './fixedRank.ts';
export {
  Grassmannian,
  type GrassmannianMap,
  type GrassmannianOptions,
  grassmannian,
} from './grassmannian.ts';
export { Hurwitz, type HurwitzOptions, hurwitz } from './hurwitz.ts';
export { Interval, type IntervalOptions, interval } from './interval.ts';
export { Invertible, type InvertibleOptions, invertible, type RotationMap } from './invertible.ts';
export { Kronecker, type KroneckerOptions, type KroneckerShapes, kronecker } from './kronecker.ts';
export { Lora, type LoraOptions, lora } from './lora.ts';
export { LoraBias, loraBias } from './loraBias.ts';
export { LowRank, type LowRankOptions, lowRank } from './lowRank.ts';
export type { PruneOptions } from './masks/pruneOptions.ts';
export { MaxNorm, type MaxNormOptions, maxNorm } from './maxNorm.ts';
export { MinMaxNorm, type MinMaxNormOptions, minMaxNorm } from './minMaxNorm.ts';
export { NonNeg, nonNeg } from './nonNeg.ts';
export { Ordered, type OrderedOptions, ordered } from './ordered.ts';
export {
  Orthogonal,
  type OrthogonalDistribution,
  type OrthogonalOptions,
  type OrthogonalSampleOptions,
  orthogonal,
} from './orthogonal.ts';
export type { OrthogonalMap } from './orthogonalMaps/orthogonalFactor.ts';
export type { OrthogonalMapName } from './orthogonalMaps/orthogonalMaps.ts';
export { updateBase } from './orthogonalMaps/updateBase.ts';
export { Positive, type PositiveMap, type PositiveOptions, positive } from './positive.ts';
export { PositiveDefinite, type PositiveDefiniteOptions, positiveDefinite } from './positiveDefinite.ts';
export {
  PositiveSemidefinite,
  type PositiveSemidefiniteOptions,
  positiveSemidefinite,
} from './positiveSemidefinite.ts';
export { Prune, prune } from './prune.ts';
export { Simplex, type SimplexOptions, simplex } from './simplex.ts';
export { Skew, type SkewOptions, skew } from './skew.ts';
export { SpecialLinear, type SpecialLinearOptions, specialLinear } from './specialLinear.ts';
export { SpectralNorm, type SpectralNormOptions, spectralNorm } from './spectralNorm.ts';
export { Sphere, type SphereMap, type SphereOptions, sphere } from './sphere.ts';
export { StableDiagonal, stableDiagonal } from './stableDiagonal.ts';
export { Symmetric, type SymmetricOptions, symmetric } from './symmetric.ts';
export { Toeplitz, type ToeplitzOptions, toeplitz } from './toeplitz.ts';
export { Triangular, type TriangularDiagonal, type TriangularOptions, triangular } from './triangular.ts';
export { UnitNorm, type UnitNormOptions, unitNorm } from './unitNorm.ts';
export { WeightNorm, type WeightNormOptions, type WeightNormScale, weightNorm } from './weightNorm.ts';
export {
  WeightStandardization,
  type WeightStandardizationOptions,
  weightStandardization,
} from './weightStandardization.ts';
export { ZeroMean, type ZeroMeanOptions, zeroMean } from './zeroMean.ts';
