import type * as tf from '@tensorflow/tfjs-core';
import { nn, weightNorm } from 'tfjs-parametrize';
import { describe, expect, it } from 'vitest';
import { candidatesOf, tensorPath } from '../../../src/model/select/candidate.ts';
import { select } from '../../../src/model/select/select.ts';
import type { Selector } from '../../../src/model/select/selector.ts';

abstract class Part extends nn.Module {
  override forward(x: tf.Tensor): tf.Tensor {
    return x;
  }
}

class Block extends Part {
  q_proj = new nn.Linear(2, 2);
  norm = new nn.LayerNorm(2);
  rnn = new nn.LSTM(2, 2);
}

class Net extends Part {
  first = new nn.Linear(2, 2);
  blocks = new nn.ModuleList([new Block(), new Block()]);
  tied = this.first;
}

const selection = (model: object, selector: Selector, byDefault: 'main' | 'all' = 'main') => {
  const candidates = candidatesOf('test', model);
  const { selected, unmatched } = select('test', candidates, selector, byDefault);
  return { paths: selected.map(tensorPath), unmatched, selected };
};

describe('select', () => {
  it('takes the main weights of hosts, by path, class, name of the class and predicate', () => {
    const net = weightNormed(new Net());
    const all = ['first.weight', 'blocks.0.q_proj.weight', 'blocks.1.q_proj.weight'];
    expect(selection(net, { type: nn.Linear }).paths).toEqual(all);
    expect(selection(net, { type: 'Linear' }).paths).toEqual(all);
    expect(selection(net, { match: '**.q_proj' }).paths).toEqual(all.slice(1));
    expect(selection(net, { match: /q_proj$/g }).paths).toEqual(all.slice(1));
    expect(
      selection(net, { match: (_, path) => path.startsWith('blocks.1'), type: nn.Linear }).paths,
    ).toEqual(all.slice(2));
    expect(selection(net, { type: nn.Linear, exclude: ['blocks.0.**'] }).paths).toEqual([all[0], all[2]]);
    expect(selection(net, { match: 'blocks.1.*', name: 'bias' }).paths).toEqual([
      'blocks.1.q_proj.bias',
      'blocks.1.norm.bias',
    ]);
    net.dispose();
  });

  it('takes tensors by their whole path', () => {
    const net = new Net();
    expect(selection(net, { match: 'blocks.0.rnn.weight_?h_l0' }).paths).toEqual([
      'blocks.0.rnn.weight_ih_l0',
      'blocks.0.rnn.weight_hh_l0',
    ]);
    expect(selection(net, { match: 'first.bias' }).paths).toEqual(['first.bias']);
    expect(selection(net, { match: '**', exclude: '**.bias' }, 'all').paths).not.toContain('first.bias');
    net.dispose();
  });

  it('takes a shared module once, by any of its paths', () => {
    const net = new Net();
    const { selected, paths } = selection(net, { match: 'tied' });
    expect(paths).toEqual(['tied.weight']);
    expect(selected[0]!.paths).toEqual(['first', 'tied']);
    net.dispose();
  });

  it.each<[Selector, string[]]>([
    [
      { match: 'blocks.*.k_proj' },
      ["'blocks.*.k_proj' matches nothing; nearest: 'blocks.0.q_proj', 'blocks.1.q_proj'"],
    ],
    [{ match: ['first', 'second'] }, ["'second' matches nothing; nearest: 'tied', 'first'"]],
    [{ match: 'first', type: 'LSTM' }, ["'first' matches Linear 'first', but no 'LSTM'"]],
    [
      { match: '**.rnn' },
      [
        "'**.rnn' matches LSTM 'blocks.0.rnn', LSTM 'blocks.1.rnn' with no main weight; name some of weight_ih_l0",
      ],
    ],
    [{ match: 'first', exclude: /^first$/ }, ["'first' matches Linear 'first', excluded by /^first$/"]],
    [
      { match: 'blocks.**', type: [nn.Linear, nn.Conv1d] },
      ['type Conv1d is that of no host with tensors; the model has Linear'],
    ],
    [{ type: 'Linear', name: ['weight', 'wieght'] }, ["name 'wieght' is that of no tensor; nearest: weight"]],
  ])('says why %j matches nothing', (selector, facts) => {
    const net = new Net();
    const { unmatched } = selection(net, selector);
    expect(unmatched).toHaveLength(facts.length);
    for (const [i, fact] of facts.entries()) expect(unmatched[i]).toContain(fact);
    net.dispose();
  });
});

function weightNormed(net: Net): Net {
  weightNorm(net.first);
  return net;
}
