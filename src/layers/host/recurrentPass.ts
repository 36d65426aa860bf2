import { RNN } from '@tensorflow/tfjs-layers';
import { wrapOnce } from '../../core/wrapOnce.ts';
import type { Layer } from '../../engine/layer.ts';
import { registeredPrototype } from '../../engine/registeredClass.ts';
import { cached } from '../../parametrize/verbs/cached.ts';
import { isParametrized } from '../../parametrize/verbs/isParametrized.ts';
import { everyLayer } from './layer.ts';

// Recurrent layers read the weights of their cells at every time step, and TimeDistributed those of its layer. One call
// of such a layer is one cache scope, so that a weight is computed once for all steps: one power iteration, one random
// draw. A cell does not know its layer, and tfjs has no hook. So the method of these layers is wrapped. Without a
// parametrized weight below, it runs unchanged.
const ONE_PASS: unique symbol = Symbol.for('tfjs-parametrize.onePass') as never;

/** Makes one call of a recurrent layer, or of a layer that is distributed over time, one cache scope. */
export function passInOneScope(): void {
  // tfjs-layers exports no class of layers that are distributed over time, but registers it.
  for (const prototype of [RNN.prototype, registeredPrototype('TimeDistributed')]) {
    if (prototype !== undefined) wrapOnce(prototype as unknown as Layer, 'call', ONE_PASS, inOnePass);
  }
}

const inOnePass = (call: Layer['call']): Layer['call'] =>
  function (this: Layer, inputs, kwargs) {
    const computes = everyLayer(this).some(([, layer]) => isParametrized(layer));
    return computes ? cached(() => call.call(this, inputs, kwargs)) : call.call(this, inputs, kwargs);
  };
