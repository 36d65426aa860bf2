import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { op, Run } from './run.ts';
import { optimizers, specimens } from './specimens.ts';

describe('a random program on a parametrized module', () => {
  for (const [i, optimizer] of Object.keys(optimizers).entries()) {
    it(`has the values and gradients of its uncached twin, and leaks nothing, with ${optimizer}`, () => {
      fc.assert(
        fc.property(
          fc.constantFrom(...Object.keys(specimens)),
          fc.array(op, { maxLength: 24 }),
          (first, program) => {
            const before = tf.memory().numTensors;
            const run = new Run(optimizer);
            try {
              run.execute({ do: 'register', specimen: first });
              for (const instruction of program) run.execute(instruction);
            } finally {
              run.end();
            }
            expect(tf.memory().numTensors, 'tensors that are left').toBe(before);
          },
        ),
        { seed: Number(process.env['FC_SEED'] ?? 42) + i },
      );
    });
  }
});
