import * as tf from '@tensorflow/tfjs';
import {
  isParametrized,
  registerParametrization,
  spectralNorm,
  unitNorm,
  weightNorm,
} from 'tfjs-parametrize';
import { constraintsToParametrizations, folded, type LayerName, syncModel } from 'tfjs-parametrize/layers';

// Programs on tf.layers that people write. They must compile, but for the lines below `@ts-expect-error`, which must not.
// The compiler checks this file; nothing runs it.

class Scale extends tf.layers.Layer {
  static className = 'Scale';
  gain!: tf.LayerVariable;
  units = 3;
}

export function names(): void {
  const { dense, conv2d, lstm, bidirectional, timeDistributed, embedding, prelu, batchNormalization } =
    tf.layers;
  const layer = weightNorm(dense({ units: 3 }));
  weightNorm(layer, 'kernel', { dim: 0 });
  registerParametrization(layer, 'bias', (b) => tf.softplus(b));
  // @ts-expect-error a misspelt name
  weightNorm(layer, 'kernl');
  // @ts-expect-error a weight of another layer type
  weightNorm(layer, 'embeddings');
  weightNorm(conv2d({ filters: 1, kernelSize: 1 }), 'kernel', { dim: [2, 3] });
  weightNorm(embedding({ inputDim: 1, outputDim: 1 }), 'embeddings');
  // @ts-expect-error a weight of another layer type
  weightNorm(embedding({ inputDim: 1, outputDim: 1 }), 'kernel');
  // @ts-expect-error a weight of another layer type
  weightNorm(prelu(), 'kernel');
  weightNorm(prelu(), 'alpha');
  weightNorm(batchNormalization(), 'movingVariance');

  const memory = lstm({ units: 2 });
  weightNorm(memory.cell, 'recurrentKernel');
  weightNorm(memory, 'cell.recurrentKernel');
  // @ts-expect-error the layer itself has no weight
  weightNorm(memory, 'recurrentKernel');
  // @ts-expect-error a misspelt name
  weightNorm(memory.cell, 'recurrentKernl');
  weightNorm(tf.layers.lstmCell({ units: 1 }), 'kernel');
  spectralNorm(bidirectional({ layer: memory }), 'backwardLayer.cell.kernel');
  // @ts-expect-error a misspelt path
  spectralNorm(bidirectional({ layer: memory }), 'backward.cell.kernel');
  weightNorm(timeDistributed({ layer }), 'layer.kernel');
}

export function layersOfModels(model: tf.LayersModel, name: LayerName, path: string): void {
  const layer = model.layers[0]!;
  weightNorm(layer);
  unitNorm(layer, 'recurrentKernel');
  unitNorm(layer, name);
  unitNorm(model, 'encoder.kernel');
  isParametrized(model, path);
  // @ts-expect-error a name that no layer has
  unitNorm(layer, 'wieght');
}

export function layersOfOnesOwn(layer: Scale): Scale {
  // @ts-expect-error a field that is no weight
  weightNorm(layer, 'units');
  return weightNorm(layer, 'gain');
}

export async function models(model: tf.Sequential): Promise<void> {
  const same: tf.Sequential = syncModel(model);
  const result: tf.io.SaveResult = await folded(same, () => model.save('indexeddb://model'));
  const paths: string[] = constraintsToParametrizations(model);
  void result;
  void paths;
}
