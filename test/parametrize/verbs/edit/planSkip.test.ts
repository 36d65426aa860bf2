import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  parametrizationsOn,
  registerParametrization,
  removeParametrizations,
} from '../../../../src/index.ts';
import { siteOf } from '../../../../src/parametrize/host/site.ts';
import { transaction } from '../../../../src/parametrize/transaction.ts';
import { planSkip } from '../../../../src/parametrize/verbs/edit/planSkip.ts';
import { planInsertion } from '../../../../src/parametrize/verbs/edit/planSteps.ts';
import { AddOne, Affine, Double, inTidy, read, Scaled, SumOfThree } from '../../fixtures.ts';
import { failure } from '../../unchanged.ts';

const begin = (host: object, ...indices: number[]) => planSkip('skip', siteOf(host, 'weight'), indices)();
const maps = [() => new Double(), () => new AddOne(), () => new Double(), () => new AddOne()];

const hostOf = (indices: readonly number[]): Affine => {
  const host = new Affine();
  for (const index of indices) registerParametrization(host, 'weight', maps[index]!());
  return host;
};

/** A host with all maps whose original is the one of another host. */
const expectValueOf = (host: Affine, indices: readonly number[]): void => {
  const reference = hostOf(indices);
  inTidy(() => {
    const original = parametrizationsOn(host, 'weight').original!;
    if (indices.length > 0) parametrizationsOn(reference, 'weight').original!.assign(original);
    expect(host.weight).toBeAllClose(indices.length > 0 ? reference.weight : original);
  });
  reference.dispose();
};

describe('steps that are skipped', () => {
  it('do not run until each skip of them has ended, in whichever order', () => {
    const all = [0, 1, 2, 3];
    const skips = fc.array(fc.subarray(all, { minLength: 1 }), { maxLength: 4 });
    fc.assert(
      fc.property(skips, fc.infiniteStream(fc.nat(9)), (sets, picks) => {
        const host = hostOf(all);
        const list = parametrizationsOn(host, 'weight');
        const keys = Object.keys(host.stateDict());
        const open: { set: readonly number[]; end: () => void }[] = [];
        const check = (): void => {
          expectValueOf(
            host,
            all.filter((index) => open.every(({ set }) => !set.includes(index))),
          );
          expect([list.length, Object.keys(host.stateDict())]).toEqual([4, keys]);
        };
        for (const set of sets) {
          open.push({ set, end: begin(host, ...set) });
          check();
        }
        while (open.length > 0) {
          const [{ end }] = open.splice(picks.next().value % open.length, 1) as [(typeof open)[number]];
          end();
          end();
          check();
        }
        host.dispose();
      }),
      { numRuns: 30 },
    );
  });

  it('make no entry outlive them', () => {
    const host = new Affine();
    const twice = { forward: (x: tf.Tensor) => tf.mul(x, 2), isPure: () => true };
    registerParametrization(host, 'weight', twice);
    const [before, original] = [
      read(host),
      inTidy(() => parametrizationsOn(host, 'weight').original!.arraySync()),
    ];
    const end = begin(host, 0);
    expect([read(host), read(host)]).toEqual([original, original]);
    end();
    expect(read(host)).toEqual(before);
    host.dispose();
  });

  it('run in a copy that was made meanwhile', () => {
    const host = hostOf([0, 1]);
    const before = read(host);
    const end = begin(host, 1);
    const copy = host.clone();
    expect(read(copy)).toEqual(before);
    expect(read(host)).not.toEqual(before);
    end();
    copy.dispose();
    host.dispose();
  });

  it('run again after a transaction that failed', () => {
    const host = hostOf([0, 1]);
    const list = parametrizationsOn(host, 'weight');
    const work = (): void => {
      begin(host, 0);
      throw new Error('later');
    };
    expect(failure(() => transaction(work), host, list)).toBe('Error: later');
    host.dispose();
  });

  it('let the chain be neither assigned, edited nor removed', () => {
    const host = hostOf([0, 1]);
    const list = parametrizationsOn(host, 'weight');
    const end = begin(host, 1);
    const value = tf.zeros([3, 3]);
    const map = new Scaled();
    const writes = [
      () => (host.weight = value),
      () => host.loadStateDict({ weight: value, bias: host.bias }),
      () => registerParametrization(host, 'weight', map),
      () => tf.tidy(() => transaction(planInsertion('insert', siteOf(host, 'weight'), map, 0))),
      () => removeParametrizations(host, 'weight'),
    ];
    for (const write of writes) expect(failure(write, host, list, map)).toMatch(/are skipped at the moment/);
    expect(failure(writes[0]!, host)).toMatchInlineSnapshot(
      `"CONFLICT: assigning Affine.weight: 1 of the 2 parametrization(s) of Affine.weight are skipped at the moment. Wait until the function that does so has ended."`,
    );
    end();
    value.dispose();
    map.dispose();
    host.dispose();
  });

  it('are refused if the rest cannot give the tensor', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new SumOfThree());
    registerParametrization(host, 'weight', (x) => tf.reshape(x, [9]), { unsafe: true });
    const list = parametrizationsOn(host, 'weight');
    expect(failure(() => begin(host, 0), host, list)).toMatchInlineSnapshot(
      `"OPTION: skip: Affine.weight has 3 originals, which only SumOfThree can take. Skip later parametrizations only."`,
    );
    expect(failure(() => begin(host, 1), host, list)).toMatchInlineSnapshot(
      `"SHAPE: skip: the value of forward has shape [3, 3], expected [9]. A parametrization may change neither dtype nor shape of the tensor, unless { unsafe: true }."`,
    );
    expect(failure(() => begin(host, 2), host, list)).toMatch('OPTION: skip: the index is 2');
    host.dispose();
  });
});
