import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { parameter } from '../../../src/nn/index.ts';
import { weightNorm } from '../../../src/parametrizations/index.ts';
import {
  parametrizationsOn,
  registerParametrization,
  removeParametrizations,
  transferParametrizationsAndParams,
  valueOf as valueOfTensor,
} from '../../../src/parametrize/index.ts';
import { Affine, Double, numbers } from '../fixtures.ts';
import { failure } from '../unchanged.ts';

const map = new Double();
const register = (host: unknown, ...watched: object[]): string =>
  failure(() => registerParametrization(host as { weight: tf.Tensor }, 'weight', map), map, ...watched);

describe('a host is refused that is', () => {
  it('no object', () => {
    expect(register(null)).toMatchInlineSnapshot(
      `"UNSUPPORTED_HOST: registerParametrization: null cannot be parametrized. Pass a module or an object that holds a tf.Variable."`,
    );
    for (const host of [undefined, 'layer', 3, true, () => 1]) {
      expect(register(host)).toMatch('UNSUPPORTED_HOST: registerParametrization: ');
    }
  });

  it('a tensor, an array or a typed array', () => {
    const tensor = tf.ones([2]);
    expect(register(tensor)).toMatchInlineSnapshot(
      `"UNSUPPORTED_HOST: registerParametrization: Tensor cannot be parametrized. Pass the module or object that holds it, and its name there."`,
    );
    expect(register([tensor])).toMatchInlineSnapshot(
      `"UNSUPPORTED_HOST: registerParametrization: Array cannot be parametrized. Pass the module or object that holds it, and its name there."`,
    );
    expect(register(new Float32Array(2))).toMatchInlineSnapshot(
      `"UNSUPPORTED_HOST: registerParametrization: Float32Array cannot be parametrized. Pass the module or object that holds it, and its name there."`,
    );
    tensor.dispose();
  });

  it('a layer of tfjs-layers, as long as nothing teaches the mechanism about layers', () => {
    const layer = tf.layers.dense({ units: 2, inputShape: [2] });
    layer.apply(tf.input({ shape: [2] }));
    expect(
      failure(() => registerParametrization(layer as unknown as { kernel: tf.Tensor }, 'kernel', map), map),
    ).toMatchInlineSnapshot(
      `"UNSUPPORTED_HOST: registerParametrization: Dense cannot be parametrized. For layers of @tensorflow/tfjs-layers add: import 'tfjs-parametrize/layers';"`,
    );
    layer.dispose();
  });

  it('a GraphModel', () => {
    const model = { executor: {}, modelUrl: 'model.json', weight: parameter(numbers(2)) };
    Object.setPrototypeOf(model, class GraphModel {}.prototype as object);
    expect(register(model, model)).toMatchInlineSnapshot(
      `"UNSUPPORTED_HOST: registerParametrization: GraphModel cannot be parametrized. A GraphModel is frozen and has no variables to train; convert a LayersModel."`,
    );
    model.weight.dispose();
  });

  it('an object with a field called parametrizations', () => {
    const host = { weight: parameter(numbers(2)), parametrizations: {} };
    expect(register(host, host)).toMatchInlineSnapshot(
      `"UNSUPPORTED_HOST: registerParametrization: Object cannot be parametrized. It has a field 'parametrizations' of its own; rename it."`,
    );
    host.weight.dispose();
  });

  it('frozen, sealed or not extensible, or has fixed the property', () => {
    const hosts = [
      Object.freeze({ weight: parameter(numbers(2)) }),
      Object.seal({ weight: parameter(numbers(2)) }),
      Object.preventExtensions({ weight: parameter(numbers(2)) }),
      Object.defineProperty({}, 'weight', { value: parameter(numbers(2)), configurable: false }),
    ] as { weight: tf.Variable }[];
    expect(register(hosts[0], hosts[0]!)).toMatchInlineSnapshot(
      `"IMMUTABLE_HOST: registerParametrization: the property 'weight' of Object cannot be redefined: the object is frozen, sealed or not extensible. Register before Object.freeze."`,
    );
    for (const host of hosts) {
      expect(register(host, host)).toMatch('IMMUTABLE_HOST: ');
      host.weight.dispose();
    }
    const frozen = Object.freeze(new Affine());
    expect(register(frozen, frozen)).toMatch('IMMUTABLE_HOST: ');
    frozen.dispose();
  });

  it('disposed', () => {
    const host = new Affine();
    host.dispose();
    expect(register(host, host)).toMatchInlineSnapshot(
      `"DISPOSED: registerParametrization: this Affine has been disposed. Make a new one."`,
    );
  });
});

describe('the other functions name the host in the same way', () => {
  const nothing = null as unknown as { weight: tf.Tensor };

  it('a catalog function', () => {
    expect(failure(() => weightNorm(nothing))).toMatchInlineSnapshot(
      `"UNSUPPORTED_HOST: weightNorm: null cannot be parametrized. Pass a module or an object that holds a tf.Variable."`,
    );
    const tensor = tf.ones([2]);
    expect(failure(() => weightNorm(tensor))).toMatchInlineSnapshot(
      `"UNSUPPORTED_HOST: weightNorm: Tensor cannot be parametrized. Pass the module or object that holds it, and its name there."`,
    );
    tensor.dispose();
    expect(failure(() => weightNorm({ kernel: 1 }))).toMatchInlineSnapshot(
      `"UNKNOWN_TENSOR: weightNorm: Object has no parameter or buffer 'weight'. It has: none."`,
    );
  });

  it('removeParametrizations, parametrizationsOn and valueOf', () => {
    expect(failure(() => removeParametrizations(nothing, 'weight'))).toMatchInlineSnapshot(
      `"UNSUPPORTED_HOST: removeParametrizations: null cannot be parametrized. Pass a module or an object that holds a tf.Variable."`,
    );
    expect(failure(() => parametrizationsOn(nothing, 'weight'))).toMatchInlineSnapshot(
      `"UNSUPPORTED_HOST: parametrizationsOn: null cannot be parametrized. Pass a module or an object that holds a tf.Variable."`,
    );
    expect(failure(() => valueOfTensor(nothing, 'weight'))).toMatchInlineSnapshot(
      `"UNSUPPORTED_HOST: valueOf: null cannot be parametrized. Pass a module or an object that holds a tf.Variable."`,
    );
  });

  it('transferParametrizationsAndParams, for both of its hosts', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', map);
    const tensor = tf.ones([2]);
    expect(failure(() => transferParametrizationsAndParams(host, nothing), host)).toMatchInlineSnapshot(
      `"UNSUPPORTED_HOST: transferParametrizationsAndParams: null cannot be parametrized. Pass a module or an object that holds a tf.Variable."`,
    );
    expect(failure(() => transferParametrizationsAndParams(host, tensor), host)).toMatchInlineSnapshot(
      `"UNSUPPORTED_HOST: transferParametrizationsAndParams: Tensor cannot be parametrized. Pass the module or object that holds it, and its name there."`,
    );
    expect(
      failure(() => transferParametrizationsAndParams(nothing, host, 'weight'), host),
    ).toMatchInlineSnapshot(
      `"UNSUPPORTED_HOST: transferParametrizationsAndParams: null cannot be parametrized. Pass a module or an object that holds a tf.Variable."`,
    );
    expect(
      failure(() => transferParametrizationsAndParams(host, Object.freeze({})), host),
    ).toMatchInlineSnapshot(
      `"IMMUTABLE_HOST: transferParametrizationsAndParams: the property 'weight' of Object cannot be redefined: the object is frozen, sealed or not extensible. Register before Object.freeze."`,
    );
    tensor.dispose();
    host.dispose();
  });
});
