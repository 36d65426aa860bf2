import { serialization } from '@tensorflow/tfjs-core';
import { RNN } from '@tensorflow/tfjs-layers';
import { cached } from '../parametrize/verbs/cached.ts';
import { isParametrized } from '../parametrize/verbs/isParametrized.ts';
import { everyLayer, type Layer } from './layer.ts';

// Recurrent layers read the weights of their cells at every time step, and TimeDistributed those of its layer. One call
// of such a layer is one cache scope, so that a weight is computed once for all steps: one power iteration, one random
// draw. A cell does not know its layer, and tfjs has no hook. So the method of these layers is wrapped. Without a
// parametrized weight below, it runs unchanged.
const ONE_PASS: unique symbol = Symbol.for('tfjs-parametrize.onePass') as never;

type Prototype = Layer & { [ONE_PASS]?: true };

/** Makes one call of a recurrent layer, or of a layer that is distributed over time, one cache scope. */
export function passInOneScope(): void {
  callInOnePass(RNN.prototype as unknown as Prototype);
  // tfjs-layers exports no class of it, but registers it.
  const timeDistributed = serialization.SerializationMap.getMap().classNameMap['TimeDistributed']?.[0];
  if (timeDistributed !== undefined) callInOnePass(timeDistributed.prototype as unknown as Prototype);
}

function callInOnePass(prototype: Prototype): void {
  if (prototype[ONE_PASS] !== undefined) return;
  const { call } = prototype;
  prototype.call = function (this: Layer, inputs, kwargs) {
    const computes = everyLayer(this).some(([, layer]) => isParametrized(layer));
    return computes ? cached(() => call.call(this, inputs, kwargs)) : call.call(this, inputs, kwargs);
  };
  Object.defineProperty(prototype, ONE_PASS, { value: true });
}
