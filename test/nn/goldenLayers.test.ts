import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { Module } from '../../src/nn/index.ts';
import { tensorOf } from './golden.ts';
import {
  callLayer,
  type GoldenGradients,
  type GoldenStep,
  type LayerGolden,
  layerClasses,
  layerGoldens,
  layerOf,
  loadState,
} from './layerGolden.ts';

// Two float32 implementations that add in different orders: the files' own distance from float64 is a tenth of this.
const tolerance = { relative: 1e-4, absolute: 1e-5 };

/** Containers, which compute nothing, layers that draw random numbers, and layers that torch lacks. */
const withoutGolden = [
  'Dropout',
  'Dropout1d',
  'Dropout2d',
  'MeanOnlyBatchNorm1d',
  'MeanOnlyBatchNorm2d',
  'ModuleDict',
  'ModuleList',
  'ModuleSequence',
  'ParameterDict',
  'ParameterList',
  'Sequential',
];

const goldens = layerGoldens();
const modules = [...new Set(goldens.map(({ module }) => module))];

for (const module of modules.filter((name) => layerClasses.has(name))) {
  describe(`${module} has torch's keys, outputs and gradients`, () => {
    for (const golden of goldens.filter((candidate) => candidate.module === module)) {
      it(golden.name, () => {
        const layer = layerOf(golden);
        tf.tidy(() => expectGolden(layer, golden));
        layer.dispose();
      });
    }
  });
}

describe('The golden layers', () => {
  for (const module of modules.filter((name) => !layerClasses.has(name))) it.todo(`wait for ${module}`);

  it('include every layer of the package', () => {
    expect(
      [...layerClasses.keys()].filter((name) => !modules.includes(name) && !withoutGolden.includes(name)),
    ).toEqual([]);
  });
});

function expectGolden(layer: Module, golden: LayerGolden): void {
  expect(Object.keys(layer.stateDict())).toEqual(Object.keys(golden.state));
  let state = golden.state;
  golden.steps.forEach((step, i) => {
    const label = golden.steps.length === 1 ? '' : `step ${i}, `;
    const inputs = step.inputs.map(tensorOf);
    layer.train(step.training);
    // Every forward pass moves the buffers on.
    const forward = (): tf.Tensor[] => {
      loadState(layer, state);
      return callLayer(layer, inputs);
    };

    const outputs = forward();
    expect(outputs.length).toBe(step.outputs.length);
    outputs.forEach((output, k) => {
      expect(output, `${label}output ${k}`).toBeAllClose(tensorOf(step.outputs[k]!), tolerance);
    });
    for (const [key, value] of Object.entries(step.state_after ?? state)) {
      expect(layer.stateDict()[key], `${label}${key} afterwards`).toBeAllClose(tensorOf(value), tolerance);
    }
    expectGradients(layer, step, inputs, forward, label);
    state = step.state_after ?? state;
  });
}

function expectGradients(
  layer: Module,
  step: GoldenStep,
  inputs: tf.Tensor[],
  forward: () => tf.Tensor[],
  label: string,
): void {
  const parameters = layer.namedParameters();
  const floats = inputs.filter(({ dtype }) => dtype === 'float32');
  const variables = [...floats, ...parameters.map(([, variable]) => variable)];
  if (variables.length === 0) return;

  const gradOutputs = step.grad_outputs.map(tensorOf);
  const loss = (): tf.Scalar => tf.addN(forward().map((y, k) => tf.sum(tf.mul(y, gradOutputs[k]!))));
  const gradients = (of: () => tf.Scalar): tf.Tensor[] => {
    const { grads } = tf.engine().gradients(of, variables, undefined, true);
    return variables.map((variable, i) => (grads[i] as tf.Tensor | undefined) ?? tf.zerosLike(variable));
  };
  const compare = (found: tf.Tensor[], wanted: GoldenGradients, what: string, grow: boolean): void => {
    const named = [
      ...wanted.inputs
        .filter((_, k) => inputs[k]!.dtype === 'float32')
        .map((gradient, k) => [`input ${k}`, gradient] as const),
      ...parameters.map(([key]) => [key, wanted.parameters[key]] as const),
    ];
    expect(Object.keys(wanted.parameters).sort()).toEqual(parameters.map(([key]) => key).sort());
    named.forEach(([name, gradient], i) => {
      const target = gradient ? tensorOf(gradient) : tf.zerosLike(variables[i]!);
      // Second-order gradients are sums of terms as large as the largest of them.
      const scale = grow ? Math.max(1, tf.max(tf.abs(target)).dataSync()[0]!) : 1;
      const allowed = { ...tolerance, absolute: tolerance.absolute * scale };
      expect(found[i]!, `${label}${what} for ${name}`).toBeAllClose(target, allowed);
    });
  };

  compare(gradients(loss), { inputs: step.grad_inputs, parameters: step.grad_parameters }, 'gradient', false);

  const { of_inputs: ofInputs, of_parameters: ofParameters } = step.second_order ?? {};
  const squares = (from: number, to?: number) => () =>
    tf.addN(
      gradients(loss)
        .slice(from, to)
        .map((gradient) => tf.sum(tf.square(gradient))),
    ) as tf.Scalar;
  const inputSquares = squares(0, floats.length);
  const parameterSquares = squares(floats.length);
  if (ofInputs) compare(gradients(inputSquares), ofInputs, 'second order of inputs', true);
  if (ofParameters) compare(gradients(parameterSquares), ofParameters, 'second order of parameters', true);
}
