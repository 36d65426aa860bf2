import { RNN } from '@tensorflow/tfjs-layers';
import { cached } from '../parametrize/cached.ts';
import { isParametrized } from '../parametrize/isParametrized.ts';
import { everyLayer, type Layer } from './layer.ts';

// Recurrent layers read the weights of their cells at every time step. One call of the layer is one cache scope, so that
// a computed weight is computed once for all steps: one power iteration, one random draw. A cell does not know the layer
// that it works for, and tfjs has no hook, so that the method of all recurrent layers is wrapped; without a computed
// weight below it does what it did.
const ONE_PASS: unique symbol = Symbol.for('tfjs-parametrize.onePass') as never;

const prototype = RNN.prototype as unknown as Layer & { [ONE_PASS]?: true };
if (prototype[ONE_PASS] === undefined) {
  const { call } = prototype;
  prototype.call = function (this: Layer, inputs, kwargs) {
    const computes = everyLayer(this).some(([, layer]) => isParametrized(layer));
    return computes ? cached(() => call.call(this, inputs, kwargs)) : call.call(this, inputs, kwargs);
  };
  Object.defineProperty(prototype, ONE_PASS, { value: true });
}
