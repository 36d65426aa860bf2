import * as tf from '@tensorflow/tfjs-core';
import type { Model } from '../engine/modelTraining.ts';
import { registerMissingKernels } from '../kernels/missing/registerMissingKernels.ts';
import { registerHostKind } from '../parametrize/host/hostKind.ts';
import { registerStateKind } from '../stateDict/stateView.ts';
import { layerHost } from './host/layerHost.ts';
import { passInOneScope } from './host/recurrentPass.ts';
import { MeanOnlyBatchNormalization } from './meanOnlyBatchNormalization.ts';
import { layerModel } from './torch/layerState.ts';
import { collectCurrentWeights } from './training/collectedWeights.ts';
import { checkBeforeTraining } from './training/trainingChecks.ts';

let isTaught = false;

/**
 * Registers the layers and models of tfjs-layers with the package, and the layers of the package with tfjs, so that it
 * loads saved models that have them; and the kernels that training on wasm lacks. A second call does nothing.
 *
 * Importing the entry of this folder calls this function. It is one of the two side effects of imports in the package;
 * the other is `reflect-metadata`. The other functions of the entry call it, too, because a bundler may take them
 * without the entry.
 */
export function teachLayers(): void {
  if (isTaught) return;
  isTaught = true;
  tf.serialization.registerClass(MeanOnlyBatchNormalization as never);
  registerHostKind({ ...layerHost, sync: collectWhereTrained });
  registerStateKind(layerModel);
  passInOneScope();
  checkBeforeTraining();
  registerMissingKernels();
}

/** Lets a compiled model train the weights that its layers hold now; layers alone are not trained. */
function collectWhereTrained(caller: string, model: object): void {
  if ('layers' in model) collectCurrentWeights(caller, model as unknown as Model);
}
