import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { manualSeed } from '../../src/nn/index.ts';
import { example, expectGradients } from './gradientCheck.ts';
import { callLayer, layerClasses } from './layerGolden.ts';
import { classOf, layerRows } from './layerRows.ts';

// The golden numbers have a fixed gradient of the output, so they cannot tell whether the gradient of a layer can be
// differentiated with respect to *that*, which a second order through two layers needs. Here it depends on everything.

/** Classes without a forward pass of their own. */
const withoutForward = ['ModuleDict', 'ModuleList', 'ModuleSequence', 'ParameterDict', 'ParameterList'];

/** Factors that bring inputs to both sides of a layer's kinks, or so far apart that a difference steps over none. */
const scales: Readonly<Record<string, number>> = {
  Hardsigmoid: 4,
  Hardswish: 4,
  Hardtanh: 1.5,
  MaxPool1d: 3,
  MaxPool2d: 3,
  ReLU6: 6,
};

describe('Gradients of first and second order agree with central differences', () => {
  it.each(Object.entries(layerRows))('%s', (name, { args, inputs }) => {
    const layer = new (layerClasses.get(classOf(name))!)(...args);
    // Nothing at its neutral value: a scale of 1 or a bias of 0 would hide that it is missing somewhere.
    for (const parameter of layer.parameters()) {
      const value = example(parameter.shape, 0.6);
      parameter.assign(value);
      value.dispose();
    }
    const variables = inputs.map((input) =>
      'indices' in input
        ? tf.tidy(() => tf.variable(tf.tensor1d([...input.indices], 'int32')))
        : example([...input], scales[name]),
    );
    const forward = (): tf.Tensor => {
      // The same mask in every call.
      manualSeed(1);
      return tf.concat(callLayer(layer, variables).map((y) => tf.reshape(y, [y.size])));
    };
    const floats = variables.filter(({ dtype }) => dtype === 'float32');
    expectGradients(forward, [...floats, ...layer.parameters()]);
    tf.dispose(variables);
    layer.dispose();
  });

  it('for every layer of the package, and for nothing else', () => {
    const checked = new Set([...Object.keys(layerRows).map(classOf), ...withoutForward]);
    expect([...checked].sort()).toEqual([...layerClasses.keys()].sort());
  });
});
