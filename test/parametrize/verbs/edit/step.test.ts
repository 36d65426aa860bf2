import * as tf from '@tensorflow/tfjs';
import { afterEach, describe, expect, it } from 'vitest';
import {
  insertParametrization,
  parametrizationsOn,
  registerParametrization,
  removeParametrization,
  reorderParametrizations,
  replaceParametrization,
  Symmetric,
  symmetric,
} from '../../../../src/index.ts';
import { weightNorm as legacyWeightNorm } from '../../../../src/legacy/index.ts';
import { Linear } from '../../../../src/nn/index.ts';
import { stepIndex, stepIndices } from '../../../../src/parametrize/verbs/edit/step.ts';
import { AddOne, Affine, Double } from '../../fixtures.ts';
import { failure } from '../../unchanged.ts';

const shift = (x: tf.Tensor): tf.Tensor => tf.add(x, 1);
const object = { forward: shift };

let host: Affine | undefined;
afterEach(() => {
  host?.dispose();
  host = undefined;
});

/** A chain with each kind of step, and one class twice. */
function chain(): Affine {
  host = new Affine();
  symmetric(host);
  registerParametrization(host, 'weight', new Double());
  registerParametrization(host, 'weight', shift);
  registerParametrization(host, 'weight', object);
  registerParametrization(host, 'weight', new Double());
  return host;
}

describe('a step', () => {
  it('is an index, also from the end, the registered thing, its class or its kind', () => {
    const list = parametrizationsOn(chain(), 'weight');
    const found = [0, 4, -1, -5, 'symmetric', Symmetric, shift, object, list[1]!, list[4]!].map((step) =>
      stepIndex('edit', list, step),
    );
    expect(found).toEqual([0, 4, 4, 0, 0, 0, 2, 3, 1, 4]);
    expect(stepIndices(list, Double)).toEqual([1, 4]);
    expect(stepIndices(list, AddOne)).toEqual([]);
  });

  it('that does not exist or is ambiguous is an error of every verb, and lists the steps', () => {
    const map = new AddOne();
    const host = chain();
    const list = parametrizationsOn(host, 'weight');
    const wrong = [5, -6, 0.5, Number.NaN, 'symetric', 'toString', AddOne, map, Double, tf.tanh, {}];
    for (const step of [...wrong, null, undefined, true] as never[]) {
      const edits = [
        () => removeParametrization(host, 'weight', step),
        () => replaceParametrization(host, 'weight', step, map),
        () => reorderParametrizations(host, 'weight', [step, 0, 1, 2, 3]),
        () => insertParametrization(host, 'weight', map, { before: step }),
        () => insertParametrization(host, 'weight', map, { after: step }),
      ];
      for (const edit of edits) expect(failure(edit, host, list, map)).toMatch(/^OPTION: \w+: /);
    }
    const remove = (step: never) => failure(() => removeParametrization(host, 'weight', step), host, list);
    expect(['symetric', Double, -6].map((step) => remove(step as never))).toMatchInlineSnapshot(`
      [
        "OPTION: removeParametrization: Affine.weight has no step 'symetric'. Did you mean 'symmetric'? It has: 0: 'symmetric', 1: Double, 2: function shift, 3: Object, 4: Double.",
        "OPTION: removeParametrization: 2 steps of Affine.weight are Double. It has: 0: 'symmetric', 1: Double, 2: function shift, 3: Object, 4: Double. Pass an index.",
        "OPTION: removeParametrization: Affine.weight has no step -6. It has: 0: 'symmetric', 1: Double, 2: function shift, 3: Object, 4: Double.",
      ]
    `);
  });

  it('is needed once in an order, and a place is needed once for an insertion', () => {
    const map = new AddOne();
    const host = chain();
    const list = parametrizationsOn(host, 'weight');
    const wrong = [
      () => reorderParametrizations(host, 'weight', [0, 1, 2, 3, 3]),
      () => reorderParametrizations(host, 'weight', [0, 1]),
      () => reorderParametrizations(host, 'weight', 'symmetric' as never),
      () => insertParametrization(host, 'weight', map, {} as never),
      () => insertParametrization(host, 'weight', map, { at: 0, before: 0 } as never),
      () => insertParametrization(host, 'weight', map, { at: 6 }),
      () => insertParametrization(host, 'weight', map, { at: '0' as never }),
      () => insertParametrization(host, 'weight', map, 0 as never),
      () => removeParametrization(host, 'weight', 0, { keep: 'all' as never }),
      () => replaceParametrization(host, 'weight', 0, map, { unsafe: 1 as never }),
      () => replaceParametrization(host, 'weight', 0, map, { keeps: 'value' } as never),
    ];
    for (const edit of wrong) expect(failure(edit, host, list, map)).toMatch(/^OPTION: /);
  });

  it('of a plain tensor, a host that is none, or the hook API is refused with the reason', () => {
    const map = new AddOne();
    const plain = new Linear(2, 2);
    const hooked = legacyWeightNorm(new Linear(2, 2));
    const edits = (host: object) => [
      () => insertParametrization(host, 'weight', map, { at: 0 }),
      () => insertParametrization(host, 'weight', map, { at: 1 }),
      () => removeParametrization(host, 'weight', 0),
      () => replaceParametrization(host, 'weight', 0, map),
    ];
    for (const edit of edits(plain)) expect(failure(edit, plain, map)).toMatch(/^NOT_PARAMETRIZED: /);
    for (const edit of edits(hooked)) {
      expect(failure(edit, hooked, map)).toMatch(
        /^ALREADY_PARAMETRIZED: \w+: Linear.weight is normalized by the hook API/,
      );
    }
    for (const none of [null, 3, undefined] as never[])
      for (const edit of edits(none)) expect(failure(edit, map)).toMatch(/^[A-Z]+_[A-Z]+: /);
    plain.dispose();
    hooked.dispose();
  });
});
