import { teachLayers } from './teachLayers.ts';

export { constraintsToParametrizations } from './constraintsToParametrizations.ts';
export { folded } from './folded.ts';
export type { LayerName } from './layerName.ts';
export { syncModel } from './syncModel.ts';

// Importing this entry teaches the package its layers; `sideEffects` in package.json names it, so that bundlers keep the call.
teachLayers();
