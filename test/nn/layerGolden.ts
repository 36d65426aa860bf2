import { readdirSync, readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import * as nn from '../../src/nn/index.ts';
import { type GoldenTensor, tensorOf } from './golden.ts';

type GoldenTensors = Readonly<Record<string, GoldenTensor>>;

/** Gradients of one number; null where it does not depend on the tensor, or where the tensor has integers. */
export interface GoldenGradients {
  /** For each input. */
  readonly inputs: readonly (GoldenTensor | null)[];
  /** For each parameter, by its key in the state dict. */
  readonly parameters: Readonly<Record<string, GoldenTensor | null>>;
}

/** One forward and backward pass of a layer in PyTorch; the buffers go from step to step. */
export interface GoldenStep {
  readonly training: boolean;
  /** The input, then the initial states of a recurrent layer. */
  readonly inputs: readonly GoldenTensor[];
  /** The output, then the last states of a recurrent layer. */
  readonly outputs: readonly GoldenTensor[];
  /** The loss is the sum of all outputs times these. */
  readonly grad_outputs: readonly GoldenTensor[];
  /** Of the loss. */
  readonly grad_inputs: GoldenGradients['inputs'];
  /** Of the loss. */
  readonly grad_parameters: GoldenGradients['parameters'];
  /** Of the sum of the squares of the gradients above, of the inputs' or of the parameters'. */
  readonly second_order: {
    readonly of_inputs?: GoldenGradients;
    readonly of_parameters?: GoldenGradients;
  } | null;
  /** The state dict after the step; null for layers without buffers, whose state remains. */
  readonly state_after: GoldenTensors | null;
}

/** One layer of PyTorch with one choice of options. */
export interface LayerGolden {
  readonly name: string;
  /** The name of the class. */
  readonly module: string;
  /** The arguments that the constructor requires. */
  readonly args: readonly unknown[];
  /** The keyword arguments, with camelCased names. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The state dict, in torch's order. */
  readonly state: GoldenTensors;
  readonly steps: readonly GoldenStep[];
}

const folder = new URL('../golden/', import.meta.url);

/** The cases of all `nn_*.json`. */
export const layerGoldens = (): LayerGolden[] =>
  readdirSync(folder)
    .filter((file) => /^nn_.*\.json$/.test(file))
    .sort()
    .flatMap((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')).cases as LayerGolden[]);

type LayerClass = new (...args: unknown[]) => nn.Module;

/** The classes of this package that are layers or containers, by name. */
export const layerClasses: ReadonlyMap<string, LayerClass> = new Map(
  Object.entries(nn).flatMap(([name, value]) =>
    typeof value === 'function' && value.prototype instanceof nn.Module ? [[name, value as LayerClass]] : [],
  ),
);

/** Options that the constructor takes by position, not in an object: the layer has nothing else to choose. */
const positionalOptions: Readonly<Record<string, readonly string[]>> = {
  CELU: ['alpha'],
  ELU: ['alpha'],
  Flatten: ['startDim', 'endDim'],
  GLU: ['dim'],
  Hardshrink: ['lambd'],
  Hardtanh: ['minVal', 'maxVal'],
  LeakyReLU: ['negativeSlope'],
  PReLU: ['numParameters', 'init'],
  Softplus: ['beta', 'threshold'],
  Softshrink: ['lambd'],
};

/** The layer of this package with the options and the state of the golden one. */
export function layerOf(golden: LayerGolden): nn.Module {
  const Layer = layerClasses.get(golden.module)!;
  const positional = positionalOptions[golden.module];
  const unknown = Object.keys(golden.options).filter((name) => positional?.includes(name) === false);
  if (unknown.length > 0) throw new Error(`${golden.module} has no option ${unknown.join(', ')}`);
  const options = positional?.map((name) => golden.options[name]) ?? [golden.options];
  const isPlain = Object.keys(golden.options).length === 0;
  return new Layer(...golden.args, ...(isPlain ? [] : options));
}

/** Copies golden values into the layer. */
export function loadState(layer: nn.Module, state: GoldenTensors): void {
  tf.tidy(() => {
    layer.loadStateDict(
      Object.fromEntries(Object.entries(state).map(([key, value]) => [key, tensorOf(value)])),
    );
  });
}

type Nested = tf.Tensor | readonly Nested[];

/** Calls the layer with the inputs of a golden step; the outputs are listed as the golden ones. */
export function callLayer(layer: nn.Module, inputs: readonly tf.Tensor[]): tf.Tensor[] {
  const [x, ...states] = inputs;
  // A recurrent layer takes several states as one array.
  const args = states.length === 2 && !(layer instanceof nn.MultiheadAttention) ? [x, states] : inputs;
  return listed(layer.call(...args) as Nested);
}

const listed = (output: Nested): tf.Tensor[] =>
  output instanceof tf.Tensor ? [output] : output.flatMap((part) => listed(part));
