import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { isPruned, sparsityOf } from '../../../src/finetune/index.ts';
import { fold, nn, prune, spectralNorm } from '../../../src/index.ts';

describe('sparsityOf', () => {
  it('counts the zeros of values, with masks and after fold, and prints them', async () => {
    nn.manualSeed(1);
    const model = new nn.Sequential(new nn.Linear(4, 4), new nn.Linear(4, 2));
    expect((await sparsityOf(model)).sparsity).toBe(0);
    prune(model[0] as nn.Linear, { fraction: 0.75 });
    const before = await sparsityOf(model);
    expect(before).toMatchObject({
      tensors: [
        { path: '0', tensor: 'weight', shape: [4, 4], zeros: 12, sparsity: 0.75 },
        { path: '1', tensor: 'weight', shape: [2, 4], zeros: 0, sparsity: 0 },
      ],
      elements: 24,
      zeros: 12,
      sparsity: 0.5,
    });
    expect(String(before)).toBe(
      [
        'tensor    shape   zeros  sparsity',
        '0.weight  [4, 4]     12    75.0 %',
        '1.weight  [2, 4]      0     0.0 %',
        'all                  12    50.0 %',
      ].join('\n'),
    );
    fold(model);
    expect((await sparsityOf(model)).zeros).toBe(12);
    expect((await sparsityOf(model, { match: '0', name: '*' })).elements).toBe(20);
    model.dispose();
  });

  it('moves no state, and refuses selectors that match nothing', async () => {
    const layer = spectralNorm(new nn.Linear(4, 4));
    const before = await layer.stateDict()['parametrizations.weight.0._u']!.data();
    await sparsityOf(layer);
    expect(await layer.stateDict()['parametrizations.weight.0._u']!.data()).toEqual(before);
    await expect(sparsityOf(layer, { match: 'nothing' })).rejects.toMatchObject({ code: 'UNMATCHED_RULE' });
    await expect(sparsityOf(layer, { fraction: 1 } as never)).rejects.toMatchObject({ code: 'OPTION' });
    await expect(sparsityOf(null as never)).rejects.toMatchObject({ code: 'UNSUPPORTED_HOST' });
    layer.dispose();
  });

  it('is 0 for tensors without elements', async () => {
    const host = { weight: tf.tidy(() => tf.variable(tf.zeros([0, 3]))) };
    expect(await sparsityOf(host, { name: 'weight' })).toMatchObject({ elements: 0, sparsity: 0 });
    host.weight.dispose();
  });
});

describe('isPruned', () => {
  it('is true for any mask below a model, also one that hides nothing, and false for the mask of its removal', () => {
    const model = new nn.Sequential(new nn.Linear(2, 2), new nn.Sequential(new nn.Linear(2, 2)));
    expect(isPruned(model)).toBe(false);
    prune((model[1] as nn.Sequential)[0] as nn.Linear);
    expect(isPruned(model)).toBe(true);
    expect(isPruned(model[0]!)).toBe(false);
    fold(model);
    expect(isPruned(model)).toBe(false);
    model.dispose();
    expect(() => isPruned(3 as never)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_HOST' }));
  });
});
