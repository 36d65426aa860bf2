import type * as tf from '@tensorflow/tfjs';
import { describe, it } from 'vitest';
import { type FakeQuantize, fakeQuantize } from '../../../src/index.ts';
import { tensorOf } from '../../nn/golden.ts';
import { expectTrajectory, starts, trajectoriesOf } from '../goldenTrajectories.ts';

describe.each(trajectoriesOf((name) => name.startsWith('fake quantized') || name.startsWith('lsq')))(
  '12 steps of %s',
  (_, run) => {
    it('have the losses, parameters, scales and weights of torch', () => {
      const isLearned = run.name.startsWith('lsq');
      expectTrajectory(run, (layer, i) => {
        fakeQuantize(layer, { bits: 4, range: [-8, 7], learned: isLearned, dim: isLearned ? null : 0 });
        const list = layer.parametrizations!.weight!;
        const scale = (list[0] as FakeQuantize).scale as tf.Variable;
        if (!isLearned) scale.assign(tensorOf(starts.channelScales[i]!));
        return { W: list.original!, b: layer.bias as tf.Variable, ...(isLearned && { s: scale }) };
      });
    });
  },
);
