export { constraintsToParametrizations } from './constraintsToParametrizations.ts';
export { folded } from './folded.ts';
export type { LayerName } from './host/layerName.ts';
export {
  MeanOnlyBatchNormalization,
  type MeanOnlyBatchNormalizationArgs,
} from './meanOnlyBatchNormalization.ts';
export { type LoadParametrizedModelOptions, loadParametrizedModel } from './saving/loadParametrizedModel.ts';
export { type SaveParametrizedModelOptions, saveParametrizedModel } from './saving/saveParametrizedModel.ts';
export { syncModel } from './syncModel.ts';
