import { registerHostKind } from '../parametrize/host/hostKind.ts';
import { registerStateKind } from '../stateDict/modelState.ts';
import { layerHost } from './host/layerHost.ts';
import { passInOneScope } from './host/recurrentPass.ts';
import { layerModel } from './torch/layerState.ts';
import { checkBeforeTraining } from './training/trainingChecks.ts';

let isTaught = false;

/**
 * Teaches the package the layers and models of tfjs-layers; a second call does nothing.
 *
 * Importing the entry of this folder calls it, which is the only effect of an import in the package. The other
 * functions of the entry call it too, so that they have it also where a bundler takes them without the entry.
 */
export function teachLayers(): void {
  if (isTaught) return;
  isTaught = true;
  registerHostKind(layerHost);
  registerStateKind(layerModel);
  passInOneScope();
  checkBeforeTraining();
}
