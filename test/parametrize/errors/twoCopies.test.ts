import * as tf from '@tensorflow/tfjs-core';
import { expect, it, vi } from 'vitest';
import * as first from '../../../src/index.ts';
import { describeError, failure, thrownBy } from '../unchanged.ts';

// Two copies of the package on one page, as when two dependencies bring different versions of it.
vi.resetModules();
const second = (await import('../../../src/index.ts')) as typeof first;

class Net extends first.nn.Module {
  weight: tf.Tensor = first.nn.parameter(() =>
    tf.tensor2d([
      [1, 2],
      [3, 4],
    ]),
  );
  override forward(x: tf.Tensor): tf.Tensor {
    return tf.mul(x, this.weight);
  }
}

class OtherMap extends second.Parametrization {
  override forward(x: tf.Tensor): tf.Tensor {
    return tf.mul(x, 2);
  }
}

/** {@link failure} knows the error class of the first copy only. */
const refusal = (fn: () => unknown, ...objects: object[]): string => {
  const message = failure(fn, ...objects);
  return message.replace(/^ParametrizeError: /, `${(thrownBy(fn) as { code: string }).code}: `);
};

it('loads a second copy of its own', () => {
  expect(second.registerParametrization).not.toBe(first.registerParametrization);
  expect(second.nn.Module).not.toBe(first.nn.Module);
});

it('refuses a module of the other copy as host', () => {
  const net = new Net();
  expect(refusal(() => second.weightNorm(net as never), net)).toMatchInlineSnapshot(
    `"TWO_COPIES: weightNorm: Net belongs to another copy of tfjs-parametrize. Install one copy only (npm ls tfjs-parametrize shows both)."`,
  );
  expect(
    refusal(() => second.registerParametrization(net as object, 'weight' as string, (x) => x), net),
  ).toMatch('TWO_COPIES: ');
  net.dispose();
});

it('refuses a parametrization of the other copy', () => {
  const net = new Net();
  const map = new OtherMap();
  expect(refusal(() => first.registerParametrization(net, 'weight', map), net, map)).toMatchInlineSnapshot(
    `"TWO_COPIES: registerParametrization: OtherMap extends a class of another copy of tfjs-parametrize. Install one copy only (npm ls tfjs-parametrize shows both)."`,
  );
  map.dispose();
  net.dispose();
});

it('refuses a plain object on which the other copy has registered', () => {
  const host: { weight: tf.Tensor; bias: tf.Tensor } = {
    weight: first.nn.parameter(() => tf.ones([2])),
    bias: first.nn.parameter(() => tf.ones([2])),
  };
  first.registerParametrization(host, 'weight', (x) => tf.mul(x, 2));
  expect(refusal(() => second.registerParametrization(host, 'bias', (x) => x), host)).toMatchInlineSnapshot(
    `"TWO_COPIES: registerParametrization: Object belongs to another copy of tfjs-parametrize. Install one copy only (npm ls tfjs-parametrize shows both)."`,
  );
  expect(refusal(() => second.registerParametrization(host, 'weight', (x) => x), host)).toMatch(
    'TWO_COPIES: ',
  );
  expect(refusal(() => second.removeParametrizations(host, 'weight'), host)).toMatch('TWO_COPIES: ');
  expect(refusal(() => second.transferParametrizationsAndParams({}, host), host)).toMatch('TWO_COPIES: ');
  first.removeParametrizations(host, 'weight');
  tf.dispose([host.weight, host.bias]);
});

it('lets both work side by side, also in scopes of the other', () => {
  class OtherNet extends second.nn.Module {
    weight: tf.Tensor = second.nn.parameter(() => tf.ones([2, 2]));
    override forward(x: tf.Tensor): tf.Tensor {
      return tf.mul(x, this.weight);
    }
  }
  const [net, other] = [first.weightNorm(new Net()), second.weightNorm(new OtherNet())];
  first.cached(() =>
    second.cached(() => {
      for (let i = 0; i < 2; i++) {
        tf.tidy(() => {
          expect(net.weight).toBeAllClose([1, 2, 3, 4]);
          expect(other.weight).toBeAllClose([1, 1, 1, 1]);
        });
      }
    }),
  );
  const gradients = tf.variableGrads(() => tf.sum(tf.mul(net.weight, other.weight)) as tf.Scalar);
  expect(Object.keys(gradients.grads)).toHaveLength(4);
  tf.dispose([gradients.value, gradients.grads]);
  first.removeParametrizations(net, 'weight');
  second.removeParametrizations(other, 'weight');
  net.dispose();
  other.dispose();
});

it('recognizes the other copy’s errors by their code', () => {
  const error = thrownBy(() => second.removeParametrizations({} as { weight: tf.Tensor }, 'weight'));
  expect(error).not.toBeInstanceOf(first.ParametrizeError);
  expect((error as { code: string }).code).toBe('NOT_PARAMETRIZED');
  expect(describeError(error)).toMatch('ParametrizeError: removeParametrizations: ');
});
