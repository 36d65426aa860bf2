import type { Tensor } from '@tensorflow/tfjs-core';
import type { Layer } from '../../engine/layer.ts';
import type { PreActivation } from '../../parametrize/host/hostKind.ts';

/** The fields of a layer that computes a linear map and an activation. */
interface Activated {
  activation: { apply(y: Tensor): Tensor; getClassName(): string };
  dataFormat?: string;
  call(inputs: unknown, kwargs: unknown): Tensor;
}

const classes = ['Dense', 'Conv1D', 'Conv2D', 'Conv3D', 'Conv2DTranspose', 'Conv3DTranspose'];

/** The output of a layer before its activation, for the layers that have one norm for each output. */
export function preActivation(host: Layer): PreActivation | null {
  if (!classes.includes(host.getClassName())) return null;
  const layer = host as unknown as Activated;
  return {
    axis: (rank) => (layer.dataFormat === 'channelsFirst' ? 1 : rank - 1),
    replace(change) {
      const { activation } = layer;
      // Without it: some layers hand the activation to a kernel by its name.
      layer.activation = { apply: (y) => y, getClassName: () => 'linear' };
      const own = Object.getOwnPropertyDescriptor(layer, 'call');
      const { call } = layer;
      layer.call = (inputs, kwargs) => activation.apply(change(call.call(layer, inputs, kwargs)));
      return () => {
        layer.activation = activation;
        if (own === undefined) Reflect.deleteProperty(layer, 'call');
        else Object.defineProperty(layer, 'call', own);
      };
    },
  };
}
