import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  spectralNorm as modernSpectralNorm,
  weightNorm as modernWeightNorm,
  nn,
  parametrizationsOn,
  pure,
  registerParametrization,
  removeParametrizations,
  type SpectralNormOptions,
  transferParametrizationsAndParams,
} from '../../src/index.ts';
import { removeSpectralNorm, removeWeightNorm, spectralNorm, weightNorm } from '../../src/legacy/index.ts';
import { failure } from '../parametrize/unchanged.ts';

let layer: nn.Linear;
beforeEach(() => {
  layer = new nn.Linear(4, 3);
});
afterEach(() => layer.dispose());

describe('legacy.weightNorm and legacy.spectralNorm refuse', () => {
  it('a second hook on the same tensor (torch#95, torch#99)', () => {
    weightNorm(layer);
    expect(failure(() => weightNorm(layer), layer)).toMatchInlineSnapshot(
      `"ALREADY_PARAMETRIZED: legacy.weightNorm: cannot register two hooks on the same tensor: Linear.weight is parametrized by WeightNorm. Remove that first."`,
    );
    expect(failure(() => spectralNorm(layer), layer)).toMatchInlineSnapshot(
      `"ALREADY_PARAMETRIZED: legacy.spectralNorm: cannot register two hooks on the same tensor: Linear.weight is parametrized by WeightNorm. Remove that first."`,
    );
    spectralNorm(layer, 'bias');
    expect(failure(() => spectralNorm(layer, 'bias'), layer)).toMatch('ALREADY_PARAMETRIZED: ');
  });

  it('a tensor that has a modern parametrization', () => {
    modernWeightNorm(layer);
    expect(failure(() => spectralNorm(layer), layer)).toMatchInlineSnapshot(
      `"ALREADY_PARAMETRIZED: legacy.spectralNorm: cannot register two hooks on the same tensor: Linear.weight is parametrized by WeightNorm. Remove that first."`,
    );
    expect(failure(() => weightNorm(layer), layer)).toMatch('ALREADY_PARAMETRIZED: ');
  });

  it('an unknown name, and a tensor that is null (torch#102)', () => {
    const plain = new nn.Linear(4, 3, { bias: false });
    expect(failure(() => weightNorm(plain, 'wieght' as 'weight'), plain)).toMatchInlineSnapshot(
      `"UNKNOWN_TENSOR: legacy.weightNorm: Linear has no parameter or buffer 'wieght'. Did you mean 'weight'? It has: weight."`,
    );
    expect(failure(() => weightNorm(plain, 'bias'), plain)).toMatchInlineSnapshot(
      `"UNKNOWN_TENSOR: legacy.weightNorm: Linear.bias is null, so there is nothing to parametrize. It has: weight."`,
    );
    expect(failure(() => spectralNorm(plain, 'bias'), plain)).toMatch(
      'UNKNOWN_TENSOR: legacy.spectralNorm: Linear.bias is null',
    );
    plain.dispose();
  });

  it('a module that has a field of a name that they need', () => {
    class Gated extends nn.Module {
      weight: tf.Tensor = nn.parameter(() => tf.ones([2, 2]));
      weight_g: tf.Tensor = nn.parameter(() => tf.ones([2]));
      readonly weight_u = 'mine';
      override forward(): tf.Tensor {
        return this.weight;
      }
    }
    const gated = new Gated();
    expect(failure(() => weightNorm(gated, 'weight'), gated)).toMatchInlineSnapshot(
      `"INVALID_NAME: legacy.weightNorm: Gated has a field 'weight_g' already, which is needed for Gated.weight. Rename it."`,
    );
    expect(failure(() => spectralNorm(gated as nn.Module, 'weight'), gated)).toMatchInlineSnapshot(
      `"INVALID_NAME: legacy.spectralNorm: Gated has a field 'weight_u' already, which is needed for Gated.weight. Rename it."`,
    );
    gated.dispose();
  });

  it('an object that is no module: no hook would ever run', () => {
    const host = { weight: nn.parameter(() => tf.ones([2, 2])) as tf.Tensor };
    expect(failure(() => spectralNorm(host as unknown as nn.Linear), host)).toMatchInlineSnapshot(
      `"UNSUPPORTED_HOST: legacy.spectralNorm: Object has no forward that a hook could run before. Use spectralNorm of 'tfjs-parametrize'."`,
    );
    expect(failure(() => weightNorm(host as unknown as nn.Linear), host)).toMatch('UNSUPPORTED_HOST: ');
    expect(failure(() => weightNorm(null as unknown as nn.Linear))).toMatch('UNSUPPORTED_HOST: ');
    host.weight.dispose();
  });

  it('an axis that is not there, and options of the wrong form', () => {
    expect(failure(() => weightNorm(layer, 'weight', 2), layer)).toMatchInlineSnapshot(
      `"OPTION: weightNorm: dim 2 is out of range for shape [3, 4]: expected an axis from -2 to 1, or null."`,
    );
    expect(failure(() => weightNorm(layer, 'weight', -3), layer)).toMatch('OPTION: ');
    expect(failure(() => weightNorm(layer, 'weight', { dim: 1 } as unknown as number), layer)).toMatch(
      'OPTION: ',
    );
    const spectral = (options: unknown): string =>
      failure(() => spectralNorm(layer, 'weight', options as SpectralNormOptions), layer);
    expect(spectral({ dim: 2 })).toMatch('OPTION: ');
    expect(spectral({ nPowerIteration: 3 })).toMatchInlineSnapshot(
      `"OPTION: legacy.spectralNorm: 'nPowerIteration' is not an option. Did you mean 'nPowerIterations'? It has: nPowerIterations, eps, dim."`,
    );
    expect(spectral(3)).toMatchInlineSnapshot(
      `"OPTION: legacy.spectralNorm: the options are 3, they must be an object with the keys nPowerIterations, eps, dim."`,
    );
    expect(spectral(null)).toMatch('OPTION: ');
    expect(spectral({ eps: -1 })).toMatch('OPTION: ');
  });

  it('a scalar, and a tensor that is not float32', () => {
    class Scale extends nn.Module {
      scale: tf.Tensor = nn.parameter(() => tf.scalar(2));
      whole: tf.Tensor = nn.parameter(() => tf.ones([2, 2], 'int32'));
      override forward(): tf.Tensor {
        return this.scale;
      }
    }
    const scale = new Scale();
    for (const normalize of [weightNorm, spectralNorm] as ((
      module: Scale,
      name: 'scale' | 'whole',
    ) => unknown)[]) {
      expect(failure(() => normalize(scale, 'scale'), scale)).toMatch('OPTION: ');
      expect(failure(() => normalize(scale, 'whole'), scale)).toMatch('DTYPE: ');
    }
    scale.dispose();
  });

  it('a disposed module', () => {
    const gone = new nn.Linear(2, 2);
    gone.dispose();
    expect(failure(() => weightNorm(gone))).toMatch('DISPOSED: ');
    expect(failure(() => spectralNorm(gone))).toMatch('DISPOSED: ');
  });
});

describe('On a tensor of the hook API', () => {
  it('no modern parametrization can follow', () => {
    weightNorm(layer);
    spectralNorm(layer, 'bias');
    const negate = pure((x) => tf.neg(x));
    expect(failure(() => registerParametrization(layer, 'weight', negate), layer)).toMatchInlineSnapshot(
      `"ALREADY_PARAMETRIZED: registerParametrization: Linear.weight is normalized by the hook API, which nothing can follow. Register the function of the same name of 'tfjs-parametrize' instead."`,
    );
    expect(failure(() => modernSpectralNorm(layer), layer)).toMatch('ALREADY_PARAMETRIZED: ');
    expect(failure(() => modernWeightNorm(layer, 'bias'), layer)).toMatch('ALREADY_PARAMETRIZED: ');
  });

  it('neither its variables can be parametrized', () => {
    weightNorm(layer);
    const part = layer as unknown as { weight_g: tf.Tensor };
    expect(failure(() => modernWeightNorm(part, 'weight_g'), layer)).toMatchInlineSnapshot(
      `"TIED: weightNorm: the variable of Linear.weight_g is an original of Linear.weight already. Tie the modules instead of the variable, or clone it: parameter(tf.clone(variable))."`,
    );
    expect(failure(() => weightNorm(layer as nn.Module, 'weight_v'), layer)).toMatch('TIED: ');
  });

  it('nothing is transferred: the target would lack the hook', () => {
    const other = new nn.Linear(4, 3);
    spectralNorm(layer);
    expect(
      failure(() => transferParametrizationsAndParams(layer, other), layer, other),
    ).toMatchInlineSnapshot(
      `"UNSUPPORTED_HOST: transferParametrizationsAndParams: Linear.weight is normalized by the hook API, which nothing can follow. Register the function of the same name of 'tfjs-parametrize' instead."`,
    );
    modernWeightNorm(other);
    expect(failure(() => transferParametrizationsAndParams(other, layer, 'weight'), layer, other)).toMatch(
      'ALREADY_PARAMETRIZED: ',
    );
    other.dispose();
  });

  it('an assignment of another shape changes nothing', () => {
    weightNorm(layer);
    const wrong = tf.zeros([3, 3]);
    expect(
      failure(() => {
        layer.weight = wrong;
      }, layer),
    ).toMatch('SHAPE: ');
    wrong.dispose();
  });

  it('the value cannot be left unparametrized where there are two originals', () => {
    weightNorm(layer);
    expect(
      failure(() => removeParametrizations(layer, 'weight', { leaveParametrized: false }), layer),
    ).toMatch('OPTION: ');
  });
});

describe('removeWeightNorm and removeSpectralNorm refuse', () => {
  it('a tensor that is not normalized so', () => {
    expect(failure(() => removeWeightNorm(layer), layer)).toMatchInlineSnapshot(
      `"NOT_PARAMETRIZED: removeWeightNorm: weight_norm of 'weight' not found in Linear: it is not parametrized."`,
    );
    expect(failure(() => removeSpectralNorm(layer, 'bias'), layer)).toMatchInlineSnapshot(
      `"NOT_PARAMETRIZED: removeSpectralNorm: spectral_norm of 'bias' not found in Linear: it is not parametrized."`,
    );
    weightNorm(layer);
    expect(failure(() => removeSpectralNorm(layer), layer)).toMatchInlineSnapshot(
      `"NOT_PARAMETRIZED: removeSpectralNorm: spectral_norm of 'weight' not found in Linear: it is parametrized by WeightNorm. Call removeParametrizations to remove all of it."`,
    );
  });

  it('a chain that has more than the normalization', () => {
    modernWeightNorm(layer);
    modernSpectralNorm(layer);
    expect(failure(() => removeWeightNorm(layer), layer)).toMatchInlineSnapshot(
      `"NOT_PARAMETRIZED: removeWeightNorm: weight_norm of 'weight' not found in Linear: it is parametrized by WeightNorm, SpectralNorm. Call removeParametrizations to remove all of it."`,
    );
    expect(failure(() => removeSpectralNorm(layer), layer)).toMatch('NOT_PARAMETRIZED: ');
    expect(parametrizationsOn(layer, 'weight')).toHaveLength(2);
  });
});

describe('a chain of the hook API refuses', () => {
  it('a parametrization of its originals, which would be neither trained nor saved', () => {
    const list = parametrizationsOn(weightNorm(layer), 'weight');
    expect(
      failure(() => registerParametrization(list, 'original0', (g: tf.Tensor) => tf.exp(g)), layer, list),
    ).toMatchInlineSnapshot(
      `"ALREADY_PARAMETRIZED: registerParametrization: Linear.weight is normalized by the hook API, which nothing can follow. Register the function of the same name of 'tfjs-parametrize' instead."`,
    );
  });
});
