import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { nn, orthogonal, weightNorm } from '../../../src/index.ts';
import * as legacy from '../../../src/legacy/index.ts';

/** As the block of a temporal convolutional network: a module under two of its paths. */
class Block extends nn.Module {
  conv: nn.Linear;
  net: nn.Sequential;
  constructor(normalize: (layer: nn.Linear) => unknown = () => {}) {
    super();
    this.conv = new nn.Linear(2, 3);
    normalize(this.conv);
    this.net = new nn.Sequential(this.conv, new nn.ReLU());
  }
  forward(x: tf.Tensor): tf.Tensor {
    return this.net.call(x) as tf.Tensor;
  }
}

/** An embedding whose weight is that of the decoder. */
class Tied extends nn.Module {
  embed = new nn.Embedding(5, 3);
  decoder = new nn.Linear(3, 5);
  constructor() {
    super();
    const own = this.decoder.weight as tf.Variable;
    Object.defineProperty(this.decoder, 'weight', {
      value: this.embed.weight,
      enumerable: true,
      configurable: true,
      writable: true,
    });
    own.dispose();
  }
  forward(x: tf.Tensor): tf.Tensor {
    return this.decoder.call(this.embed.call(x));
  }
}

const hosts: Record<string, (layer: nn.Linear) => unknown> = {
  plain: () => {},
  weightNorm: (layer) => weightNorm(layer),
  'legacy.weightNorm': (layer) => legacy.weightNorm(layer),
  orthogonal: (layer) => orthogonal(layer),
};

const valueOf = async (block: Block): Promise<number[]> => {
  const value = tf.tidy(() => tf.clone(block.conv.weight));
  const numbers = [...(await value.data())];
  value.dispose();
  return numbers;
};

const keyFormats = ['modern', 'legacy', 'folded'] as const;

describe.each(Object.keys(hosts))('a %s module under two paths', (host) => {
  it.each(
    keyFormats.flatMap((keyFormat) =>
      Object.keys(hosts).flatMap((source) =>
        // An orthogonal map has no old names, and its right inverse takes orthogonal matrices only.
        (host === 'orthogonal') === (source === 'orthogonal') || (host === 'plain' && keyFormat === 'folded')
          ? [[keyFormat, source] as const]
          : [],
      ),
    ),
  )('loads from either path, and from both, in the key format %s of %s', async (keyFormat, source) => {
    const [from, to] = [new Block(hosts[source]), new Block(hosts[host])];
    const state = from.stateDict({ keyFormat });
    const expected = await valueOf(from);
    for (const isWanted of [/^conv\./, /^net\./, /./]) {
      const part = Object.fromEntries(Object.entries(state).filter(([key]) => isWanted.test(key)));
      tf.tidy(() => {
        to.conv.loadStateDict({ ...to.conv.stateDict(), bias: tf.zeros([3]) });
      });
      expect(to.loadStateDict(part)).toMatchObject({ missingKeys: [], unexpectedKeys: [] });
      expect(await valueOf(to)).toBeAllClose(expected, { absolute: 1e-5 });
      expect([...(await to.conv.bias!.data())]).toEqual([...(await from.conv.bias!.data())]);
    }
    if (keyFormat === 'folded') tf.dispose(state);
    from.dispose();
    to.dispose();
  });
});

describe('loadStateDict of tied tensors', () => {
  it('reports keys as they are in the map', () => {
    const [from, to] = [new Block(hosts['weightNorm']), new Block()];
    const entries = Object.entries(from.stateDict({ keyFormat: 'legacy' }));
    const part = Object.fromEntries(entries.filter(([key]) => key.startsWith('net.')));
    expect(to.loadStateDict({ ...part, 'net.0.other': from.conv.bias! }, { strict: false })).toEqual({
      mapped: [
        {
          from: ['net.0.weight_g', 'net.0.weight_v'],
          to: ['conv.weight'],
          actions: [{ kind: 'fold', by: 'weightNorm' }],
        },
      ],
      missingKeys: [],
      unexpectedKeys: ['net.0.other'],
    });
    from.dispose();
    to.dispose();
  });

  it('lists all keys of a variable that none of them has', () => {
    const to = new Block();
    expect(to.loadStateDict({ 'conv.bias': to.conv.bias! }, { strict: false }).missingKeys).toEqual([
      'conv.weight',
      'net.0.weight',
    ]);
    to.dispose();
  });

  it('refuses two values for one variable, and takes two equal ones', async () => {
    const to = new Tied();
    const before = [...(await to.embed.weight.data())];
    const [one, equal, other] = [tf.ones([5, 3]), tf.ones([5, 3]), tf.zeros([5, 3])];
    const bias = tf.zeros([5]);
    expect(() =>
      to.loadStateDict({ 'embed.weight': one, 'decoder.weight': other, 'decoder.bias': bias }),
    ).toThrow(
      "'embed.weight' and 'decoder.weight' are one variable of the module, and two values in the map",
    );
    expect(() =>
      to.loadStateDict({ 'embed.weight': one, 'decoder.weight': other }, { strict: false }),
    ).toThrow('Nothing was loaded');
    expect([...(await to.embed.weight.data())]).toEqual(before);
    to.loadStateDict({ 'embed.weight': one, 'decoder.weight': equal, 'decoder.bias': bias });
    to.loadStateDict({ 'decoder.weight': one, 'decoder.bias': bias });
    expect([...(await to.embed.weight.data())]).toEqual(Array(15).fill(1));
    tf.dispose([one, equal, other, bias]);
    to.dispose();
  });

  it('takes the parts of a weight of which each tied tensor has some key format', async () => {
    const [to, source] = [new Tied(), weightNorm(new nn.Linear(3, 5))];
    const state = source.stateDict({ keyFormat: 'legacy' });
    const parts = (path: string) => ({
      [`${path}.weight_g`]: state['weight_g']!,
      [`${path}.weight_v`]: state['weight_v']!,
    });
    to.loadStateDict({ ...parts('embed'), ...parts('decoder'), 'decoder.bias': state['bias']! });
    to.loadStateDict({ ...parts('decoder'), 'decoder.bias': state['bias']! });
    tf.tidy(() => {
      expect(to.embed.weight).toBeAllClose(source.weight, { absolute: 1e-6 });
    });
    to.dispose();
    source.dispose();
  });
});
