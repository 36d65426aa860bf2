import { RNN } from '@tensorflow/tfjs-layers';
import { wrapOnce } from '../../core/wrapOnce.ts';
import type { Layer } from '../../engine/layer.ts';
import { registeredPrototype } from '../../engine/registeredClass.ts';
import { cached } from '../../parametrize/verbs/cached.ts';
import { isParametrized } from '../../parametrize/verbs/isParametrized.ts';
import { everyLayer } from './layer.ts';

// Recurrent layers read the weights of their cells at every time step, and TimeDistributed reads the weights of its
// layer. One call of such a layer is one cache scope, so a weight is computed once for all steps, with one power
// iteration or one random draw. A cell does not know its layer, and tfjs has no hook. So the method of these layers is
// wrapped. It runs unchanged if no weight below is parametrized.
const ONE_PASS: unique symbol = Symbol.for('tfjs-parametrize.onePass') as never;

/** Makes one call of a recurrent or time-distributed layer one cache scope. */
export function passInOneScope(): void {
  // tfjs-layers does not export the class TimeDistributed, but registers it.
  for (const prototype of [RNN.prototype, registeredPrototype('TimeDistributed')]) {
    if (prototype !== undefined) wrapOnce(prototype as unknown as Layer, 'call', ONE_PASS, inOnePass);
  }
}

const inOnePass = (call: Layer['call']): Layer['call'] =>
  function (this: Layer, inputs, kwargs) {
    const computes = everyLayer(this).some(([, layer]) => isParametrized(layer));
    return computes ? cached(() => call.call(this, inputs, kwargs)) : call.call(this, inputs, kwargs);
  };
