import type * as tf from '@tensorflow/tfjs';
import { describe, it } from 'vitest';
import { dora, lora, type Parametrization } from '../../../src/index.ts';
import { tensorOf } from '../../nn/golden.ts';
import { expectTrajectory, starts, trajectoriesOf } from '../goldenTrajectories.ts';

const maps = { lora, dora } as const;
const letters: Readonly<Record<string, string>> = { lora_A: 'A', lora_B: 'B', lora_magnitude_vector: 'm' };

describe.each(trajectoriesOf((name) => name in maps))('12 steps of %s', (_, run) => {
  it('have the losses and parameters of torch', () => {
    expectTrajectory(run, (layer, i) => {
      const { A1, A2, scaling } = starts.lora;
      maps[run.name as 'lora'](layer, { rank: 2, alpha: 2 * scaling });
      const map = layer.parametrizations!.weight![0] as Parametrization;
      const parts: Record<string, tf.Variable> = {};
      for (const [key, variable] of map.namedParameters()) parts[letters[key.split('.')[0]!]!] = variable;
      parts['A']!.assign(tensorOf([A1, A2][i]!));
      return parts;
    });
  });
});
