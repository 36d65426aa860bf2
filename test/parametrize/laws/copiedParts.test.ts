import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  clone,
  fold,
  nn,
  Parametrization,
  registerParametrization,
  removeParametrizations,
  Symmetric,
} from '../../../src/index.ts';
import { registerOwned } from '../../../src/parametrize/verbs/registerOwned.ts';
import { flatten } from '../../toBeAllClose.ts';
import { Net, write } from './specimens.ts';

/** Adds the weight of another layer. */
class PlusOther extends Parametrization {
  readonly other: Net;
  constructor(other: Net) {
    super();
    this.other = other;
  }
  override forward(x: tf.Tensor): tf.Tensor {
    return tf.add(x, this.other.weight);
  }
  override isPure(): boolean {
    return true;
  }
}

class Gain extends Parametrization {
  gain: tf.Tensor = nn.parameter(() => tf.scalar(2));
  override forward(x: tf.Tensor): tf.Tensor {
    return tf.mul(x, this.gain);
  }
}

describe('L8: what a copy owns', () => {
  class Two extends nn.Module {
    b = new Net(2);
    a = registerParametrization(new Net(1), 'weight', new PlusOther(this.b));
    override forward(): void {}
  }
  class WithMap extends nn.Module {
    map = new Gain();
    net = registerParametrization(new Net(), 'weight', this.map);
    override forward(): void {}
  }

  it('is not a layer that a map of it was given and that stands elsewhere in the copy', () => {
    const model = new Two();
    const copy = clone(model);
    const [value, other] = [flatten(copy.a.weight), flatten(copy.b.weight)];
    fold(copy);
    expect(copy.a.weight).toBeAllClose(value);
    expect(copy.b.weight).toBeAllClose(other);
    tf.dispose(tf.tidy(() => copy.b.call(tf.ones([1, 2]))));
    copy.dispose();
    fold(model);
    expect(model.a.weight).toBeAllClose(value);
    model.dispose();
  });

  it('is not a map that stands in a field of the copy', () => {
    const model = new WithMap();
    const copy = clone(model);
    fold(copy);
    expect(copy.map.gain).toBeAllClose([2]);
    expect(copy.parameters()).toContain(copy.map.gain);
    copy.dispose();
    model.dispose();
  });

  it('is everything that only the copied chain holds', () => {
    const model = new Two();
    const copy = clone(model.a);
    fold(copy);
    copy.dispose();
    expect(model.b.weight).toBeAllClose(model.b.weight);
    model.dispose();
  });

  it('shares no registered object with state, and keeps its ties', () => {
    const scale = nn.parameter(() => tf.scalar(2));
    const map = {
      scale,
      log: [] as number[],
      forward(x: tf.Tensor): tf.Tensor {
        this.log.push(1);
        return tf.mul(x, this.scale);
      },
      dependencies: [scale],
      isPure: () => true,
    };
    const host: { w: tf.Tensor; scale: tf.Tensor } = { w: nn.parameter(() => tf.ones([2])), scale };
    registerParametrization(host, 'w', map);
    const copy = clone(host);
    const calls = map.log.length;
    expect(copy.w).toBeAllClose([2, 2]);
    expect(map.log).toHaveLength(calls);
    write(copy.scale, () => tf.scalar(10));
    expect(copy.w).toBeAllClose([10, 10]);
    expect(host.w).toBeAllClose([2, 2]);
    write(host.scale, () => tf.scalar(3));
    expect(copy.w).toBeAllClose([10, 10]);
    expect(host.w).toBeAllClose([3, 3]);
    removeParametrizations(copy, 'w');
    removeParametrizations(host, 'w');
    tf.dispose([host, copy]);
  });

  it('is the state of a registered object that nothing else holds; a closure stays shared and is never stale', () => {
    const gain = nn.parameter(() => tf.scalar(2));
    const host: { w: tf.Tensor } = { w: nn.parameter(() => tf.ones([2])) };
    registerParametrization(host, 'w', {
      dependencies: [gain],
      forward: (x) => tf.mul(x, gain),
      isPure: () => true,
    });
    const copy = clone(host);
    const middle = clone(host);
    const second = clone(middle);
    expect(copy.w).toBeAllClose([2, 2]);
    write(gain, () => tf.scalar(5));
    expect(copy.w).toBeAllClose([5, 5]);
    fold(copy);
    for (const one of [host, middle, second]) removeParametrizations(one, 'w');
    tf.dispose([host, copy, middle, second, gain]);
  });

  it('is not shared by hosts: one that goes leaves a map without tensors to the others', () => {
    const map = new Symmetric();
    const [a, b] = [new nn.Linear(2, 2), new nn.Linear(2, 2)];
    for (const layer of [a, b]) registerParametrization(layer, 'weight', map);
    const value = flatten(b.weight);
    a.dispose();
    expect(b.weight).toBeAllClose(value);
    tf.dispose(tf.tidy(() => b.call(tf.ones([1, 2]))));
    fold(b);
    expect(b.weight).toBeAllClose(value);
    b.dispose();
  });

  it('does not include what a factory was given', () => {
    const other = new Net(2);
    const net = new Net(1);
    const make = () => new PlusOther(other);
    registerOwned('test', net, 'weight', make);
    removeParametrizations(net, 'weight');
    expect(other.weight.isDisposed).toBe(false);
    const refused = () => registerOwned('test', net, 'bias', make);
    expect(refused).toThrow();
    expect(other.weight.isDisposed).toBe(false);
    net.dispose();
    other.dispose();
  });
});
