import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { stack, unstack } from '../../src/ops/stack.ts';
import { example, expectGradients } from '../nn/gradientCheck.ts';

describe.each([[1], [3]])('stack and unstack of %i items', (count) => {
  it('undo each other', () => {
    const x = example([count, 2, 1]);
    const items = unstack(x);
    const again = stack(items);
    expect(items.map(({ shape }) => shape)).toEqual(Array(count).fill([2, 1]));
    expect(again).toBeAllClose(x);
    tf.dispose([x, items, again]);
  });

  it('can be differentiated twice, where the gradient of the result depends on it', () => {
    const items = Array.from({ length: count }, (_, i) => example([2], i + 1));
    expectGradients(() => stack(items), items);
    tf.dispose(items);

    const x = example([count, 2]);
    expectGradients(() => tf.concat(unstack(x)), [x]);
    x.dispose();
  });
});
