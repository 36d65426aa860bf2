import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import {
  maxNorm,
  minMaxNorm,
  nn,
  nonNeg,
  orthogonal,
  parametrizationsOn,
  skew,
  spectralNorm,
  symmetric,
  unitNorm,
  weightNorm,
} from '../../src/index.ts';
import '../../src/layers/index.ts';

type Register = (host: object, nameOrOptions?: string | object, options?: object) => object;

/** Each function of the catalog, options other than its defaults, how its repr shows them, and options that it refuses. */
const catalog: [string, Register, options: object, repr: string, wrong: object[]][] = [
  ['weightNorm', weightNorm as Register, { dim: null }, 'dim=null', [{ dim: 0.5 }, { eps: -1 }]],
  [
    'spectralNorm',
    spectralNorm as Register,
    { dim: 1, nPowerIterations: 3 },
    'nPowerIterations=3, eps=1e-12, dim=1',
    [{ nPowerIterations: 0 }, { eps: Number.NaN }, { dim: 0.5 }],
  ],
  [
    'orthogonal',
    orthogonal as Register,
    { orthogonalMap: 'cayley' },
    'orthogonalMap=cayley',
    [{ orthogonalMap: 'exp' }, { useTrivialization: 'no' }],
  ],
  ['unitNorm', unitNorm as Register, { axis: 1 }, 'axis=1', [{ axis: 0.5 }]],
  ['maxNorm', maxNorm as Register, { maxValue: 3 }, 'maxValue=3, axis=0', [{ maxValue: -1 }]],
  [
    'minMaxNorm',
    minMaxNorm as Register,
    { minValue: 0.5 },
    'minValue=0.5, maxValue=1, rate=1, axis=0',
    [{ minValue: 2 }, { rate: 2 }],
  ],
  ['nonNeg', nonNeg as Register, {}, '', []],
  ['symmetric', symmetric as Register, {}, '', []],
  ['skew', skew as Register, {}, '', []],
];

describe('a function of the catalog', () => {
  it.each(catalog)('%s takes options with and without a name', (_, register, options, repr) => {
    const reprs = [[options], ['weight', options], [undefined, options]].map((args) => {
      const layer = new nn.Linear(3, 3);
      expect(register(layer, ...(args as [string, object]))).toBe(layer);
      const text = parametrizationsOn(layer, 'weight')[0] as nn.Module;
      const shown = text.extraRepr();
      layer.dispose();
      return shown;
    });
    expect(reprs).toEqual([repr, repr, repr]);
  });

  it.each(catalog)('%s refuses an option that it has not, at the call', (name, register) => {
    const layer = new nn.Linear(3, 3);
    const unbuilt = tf.layers.dense({ units: 3 });
    for (const host of [layer, unbuilt]) {
      expect(() => register(host, { dims: 0 })).toThrow(
        expect.objectContaining({ code: 'OPTION', message: expect.stringMatching(`^${name}: .*'dims'`) }),
      );
    }
    layer.dispose();
  });

  it.each(catalog)(
    '%s refuses options that make no sense, at the call on a layer without weights',
    (name, register, _, __, wrong) => {
      for (const options of wrong) {
        const unbuilt = tf.layers.dense({ units: 3 });
        expect(() => register(unbuilt, 'kernel', options)).toThrow(
          expect.objectContaining({ code: 'OPTION', message: expect.stringMatching(`^${name}: `) }),
        );
        expect(() => register(unbuilt, options)).toThrow(expect.objectContaining({ code: 'OPTION' }));
        // Nothing waits for the layer to be built.
        unbuilt.build([null, 3]);
        expect(() => parametrizationsOn(unbuilt, 'kernel')).toThrow(
          expect.objectContaining({ code: 'NOT_PARAMETRIZED' }),
        );
        for (const weight of unbuilt.weights) weight.dispose();
      }
    },
  );

  it('keeps the options of the call, whatever the object holds when the layer is built', () => {
    const options = { maxValue: 3 };
    const layer = maxNorm(tf.layers.dense({ units: 2 }), 'kernel', options);
    options.maxValue = 4;
    layer.apply(tf.input({ shape: [2] }));
    expect((parametrizationsOn(layer, 'kernel')[0] as nn.Module).extraRepr()).toContain('maxValue=3');
    layer.dispose();
  });

  it.each(catalog)('%s names the modules of a container that it is given', (name, register) => {
    const model = new nn.Sequential(
      new nn.Linear(2, 2),
      new nn.Sequential(new nn.Linear(2, 2), new nn.ReLU()),
    );
    expect(() => register(model)).toThrow(
      expect.objectContaining({
        code: 'UNKNOWN_TENSOR',
        message: `${name}: Sequential has no parameter or buffer 'weight'. It has no tensors of its own. Pass a module in it: '0' (Linear), '1.0' (Linear).`,
      }),
    );
    expect(() => register(model, 'kernel')).toThrow(
      "no module in it has a 'kernel'. Its modules are: '0' (Linear), '1' (Sequential), '1.0' (Linear), '1.1' (ReLU).",
    );
    model.dispose();
  });
});
