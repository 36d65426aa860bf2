export { constraintsToParametrizations } from './constraintsToParametrizations.ts';
export { folded } from './folded.ts';
export type { LayerName } from './host/layerName.ts';
export {
  MeanOnlyBatchNormalization,
  type MeanOnlyBatchNormalizationArgs,
} from './meanOnlyBatchNormalization.ts';
export { syncModel } from './syncModel.ts';
