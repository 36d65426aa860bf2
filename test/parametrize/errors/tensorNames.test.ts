import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parameter } from '../../../src/nn/index.ts';
import { registerParametrization } from '../../../src/parametrize/index.ts';
import { Affine, Double, numbers } from '../fixtures.ts';
import { failure } from '../unchanged.ts';

let host: Affine;
const map = new Double();
beforeEach(() => {
  host = new Affine();
});
afterEach(() => host.dispose());

/** Registers under a name that the types would refuse. */
const register = (name: unknown, on: object = host): string =>
  failure(() => registerParametrization(on as Affine, name as 'weight', map), on, map);

describe('registerParametrization refuses a tensor that', () => {
  it('does not exist, with the names that do (torch#25)', () => {
    expect(register('foo')).toMatchInlineSnapshot(
      `"UNKNOWN_TENSOR: registerParametrization: Affine has no parameter or buffer 'foo'. It has: weight, bias."`,
    );
  });

  it('is misspelt, with a guess', () => {
    expect(register('wieght')).toMatchInlineSnapshot(
      `"UNKNOWN_TENSOR: registerParametrization: Affine has no parameter or buffer 'wieght'. Did you mean 'weight'? It has: weight, bias."`,
    );
    expect(register('Weight')).toMatchInlineSnapshot(
      `"UNKNOWN_TENSOR: registerParametrization: Affine has no parameter or buffer 'Weight'. Did you mean 'weight'? It has: weight, bias."`,
    );
  });

  it('is null or undefined', () => {
    Object.assign(host, { nothing: null, unset: undefined });
    expect(register('nothing')).toMatchInlineSnapshot(
      `"UNKNOWN_TENSOR: registerParametrization: Affine.nothing is null, so there is nothing to parametrize. It has: weight, bias."`,
    );
    expect(register('unset')).toMatchInlineSnapshot(
      `"UNKNOWN_TENSOR: registerParametrization: Affine.unset is undefined, so there is nothing to parametrize. It has: weight, bias."`,
    );
  });

  it('is a tensor but no variable', () => {
    const tensor = tf.keep(tf.ones([2]));
    Object.assign(host, { tensor });
    expect(register('tensor')).toMatchInlineSnapshot(
      `"NOT_A_VARIABLE: registerParametrization: Affine.tensor is Tensor, not a tf.Variable. Wrap it: parameter(tensor), or tf.variable(tensor)."`,
    );
    tensor.dispose();
  });

  it('is no tensor at all', () => {
    Object.assign(host, { units: 3, child: new Double() });
    expect(register('units')).toMatchInlineSnapshot(
      `"NOT_A_VARIABLE: registerParametrization: Affine.units is number, not a tf.Variable. The tensors of Affine are: weight, bias."`,
    );
    expect(register('child')).toMatchInlineSnapshot(
      `"NOT_A_VARIABLE: registerParametrization: Affine.child is Double, not a tf.Variable. The tensors of Affine are: weight, bias."`,
    );
  });

  it('is computed by a getter of its own or of the class', () => {
    class WithGetter extends Affine {
      get doubled(): tf.Tensor {
        return tf.mul(this.weight, 2);
      }
    }
    const other = new WithGetter();
    Object.defineProperty(other, 'own', { get: () => 1, configurable: true });
    expect(register('doubled', other)).toMatchInlineSnapshot(
      `"UNKNOWN_TENSOR: registerParametrization: WithGetter has no parameter or buffer 'doubled'. It has: weight, bias."`,
    );
    expect(register('own', other)).toMatchInlineSnapshot(
      `"UNKNOWN_TENSOR: registerParametrization: WithGetter.own is a getter, not a field, as where MobX observes the object, so there is nothing to parametrize. It has: weight, bias. Keep it out of deep proxies (in Vue: markRaw(object) or shallowReactive(object); in MobX: observable.ref)."`,
    );
    other.dispose();
  });

  it('was disposed', () => {
    const other = { weight: parameter(numbers(2)) };
    other.weight.dispose();
    expect(register('weight', other)).toMatchInlineSnapshot(
      `"DISPOSED: registerParametrization: Object.weight was disposed, by dispose() or tf.disposeVariables(). Make the host again."`,
    );
  });

  it('has a name that every object or module has', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'training', 'call']) {
      expect(register(name)).toMatch(`INVALID_NAME: registerParametrization: '${name}' cannot be the name`);
    }
    expect(register('__proto__', { weight: 1 })).toMatchInlineSnapshot(
      `"INVALID_NAME: registerParametrization: '__proto__' cannot be the name of a parametrized tensor: it is empty, has a dot, or is a name that every object or module has. Object has: no tensors."`,
    );
  });

  it('has an empty name, or one with a dot, which would not survive in a state dict', () => {
    const dotted = { 'a.b': parameter(numbers(2)), '': parameter(numbers(2)) };
    expect(register('a.b', dotted)).toMatchInlineSnapshot(
      `"INVALID_NAME: registerParametrization: 'a.b' cannot be the name of a parametrized tensor: it is empty, has a dot, or is a name that every object or module has. Object has: a.b, ."`,
    );
    expect(register('', dotted)).toMatchInlineSnapshot(
      `"INVALID_NAME: registerParametrization: '' cannot be the name of a parametrized tensor: it is empty, has a dot, or is a name that every object or module has. Object has: a.b, ."`,
    );
    tf.dispose([dotted['a.b'], dotted['']]);
  });

  it('is named by something else than a string', () => {
    expect(register(undefined)).toMatchInlineSnapshot(
      `"INVALID_NAME: registerParametrization: the tensor name is undefined, expected a string."`,
    );
    for (const name of [null, 0, Symbol('weight'), ['weight'], { name: 'weight' }]) {
      expect(register(name)).toMatch('INVALID_NAME: registerParametrization: the tensor name is ');
    }
  });

  it('belongs to a child: the child is the host', () => {
    const other = { layer: host };
    expect(register('layer.weight', other)).toMatch('INVALID_NAME');
    expect(register('layer', other)).toMatchInlineSnapshot(
      `"NOT_A_VARIABLE: registerParametrization: Object.layer is Affine, not a tf.Variable. The tensors of Object are: none."`,
    );
  });
});
