import * as tf from '@tensorflow/tfjs';
import { nn, orthogonal, spectralNorm } from 'tfjs-parametrize';
import { expect, it } from 'vitest';
import { injectFault } from '../../model/faults/injectFault.ts';
import { differences, photograph } from '../../model/faults/photograph.ts';

const call = (module: nn.Module): unknown => module.call(tf.randomNormal([4, 5], 0, 1, 'float32', 1));
const assign = (module: nn.Module): void =>
  void Reflect.set(module, 'weight', tf.randomNormal([6, 5], 0, 1, 'float32', 1));

/** Modules with what they do, and the numbers of variables that may have changed after a fault. */
const cases: Readonly<
  Record<string, readonly [make: () => nn.Module, run: (module: nn.Module) => unknown, changed: number[]]>
> = {
  BatchNorm1d: [() => new nn.BatchNorm1d(5), call, [0]],
  InstanceNorm1d: [
    () => new nn.InstanceNorm1d(4, { trackRunningStats: true }),
    (module) => module.call(tf.randomNormal([2, 4, 5], 0, 1, 'float32', 1)),
    [0],
  ],
  MeanOnlyBatchNorm1d: [() => new nn.MeanOnlyBatchNorm1d(5), call, [0]],
  orthogonal: [() => orthogonal(new nn.Linear(5, 6)), assign, [0]],
  // The division comes after the power iteration, and may fail.
  spectralNorm: [() => spectralNorm(new nn.Linear(5, 6)), call, [0, 2]],
};

it.each(Object.keys(cases))(
  'A module writes all of its buffers in a call or none, whichever step fails: %s',
  async (name) => {
    const [make, run, expected] = cases[name]!;
    // A power iteration that has converged leaves a vector with the bits that it had, for some weights.
    nn.manualSeed(1);
    const module = make();
    const first = photograph(module);
    let before = first;
    const act = (): void => tf.tidy(() => void run(module));
    let steps = 0;
    for (let at: number | null = 0; at !== null; steps++) {
      const result = await injectFault(at, act);
      at = result.at === null ? null : result.at + 1;
      if (at === null) break;
      const changed = differences(before, photograph(module));
      expect(expected, [result.stack, ...changed].join('\n')).toContain(changed.length);
      if (changed.length > 0) before = photograph(module);
    }
    expect(steps).toBeGreaterThan(5);
    expect(differences(first, photograph(module))).not.toEqual([]);
    module.dispose();
  },
);
