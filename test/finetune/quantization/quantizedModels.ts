import * as tf from '@tensorflow/tfjs';
import { type FakeQuantizeOptions, fakeQuantize, nn, parametrize } from '../../../src/index.ts';
import { inTidy } from '../../parametrize/fixtures.ts';

/** The bits of float32 numbers. −0 and 0 differ. */
export const bitsOf = (tensor: tf.Tensor): number[] => [
  ...new Uint32Array(Float32Array.from(tensor.dataSync()).buffer),
];

/** A small convolutional model of tf.layers. */
export const convNet = (): tf.Sequential =>
  tf.sequential({
    layers: [
      tf.layers.conv2d({ filters: 4, kernelSize: 3, inputShape: [6, 6, 2], name: 'conv' }),
      tf.layers.batchNormalization({ name: 'norm' }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 3, name: 'dense' }),
    ],
  });

/** The bits of what a {@link convNet} predicts. */
export const predictionOf = (model: tf.LayersModel): number[] =>
  inTidy(() => {
    const x = tf.reshape(tf.sin(tf.range(0, 144)), [2, 6, 6, 2]);
    return bitsOf(model.predict(x) as tf.Tensor);
  });

/** Quantizes the main weights of a model. */
export const quantizeAll = <M extends object>(model: M, options: FakeQuantizeOptions): M => {
  const type = model instanceof nn.Module ? ['Linear', 'Conv2d'] : ['Dense', 'Conv2D'];
  parametrize(model, [{ type, apply: fakeQuantize, options }]);
  return model;
};

/** A small module. */
export const net = (): nn.Sequential =>
  new nn.Sequential(new nn.Conv2d(4, 6, 2), new nn.Flatten(), new nn.Linear(24, 5));

/** A handler that keeps what is saved. */
export function memory(): tf.io.IOHandler & { saved: tf.io.ModelArtifacts | null } {
  const handler = {
    saved: null as tf.io.ModelArtifacts | null,
    save: async (artifacts: tf.io.ModelArtifacts) => {
      handler.saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' as const } };
    },
    load: async () => handler.saved!,
  };
  return handler;
}

/** A stream that keeps the bytes. */
export function stream(): { target: WritableStream<Uint8Array>; bytes(): Uint8Array } {
  const chunks: Uint8Array[] = [];
  return {
    target: new WritableStream({ write: (chunk) => void chunks.push(chunk) }),
    bytes: () => Uint8Array.from(chunks.flatMap((chunk) => [...chunk])),
  };
}
