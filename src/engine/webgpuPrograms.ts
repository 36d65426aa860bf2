import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/** The number of float32 values that a shader reads or writes at once: an `f32` or a `vec4<f32>`. */
type Components = 1 | 4;

/** A computation on the GPU, with one shader and one output. */
export interface WebGPUProgram {
  /** The identity of the code. Programs with the same key have the same code. */
  readonly key: string;
  /** The code in WGSL. It defines `fn main(index: i32)`, where `index` counts threads through all workgroups. */
  readonly code: string;
  readonly workgroupSize: number;
  /** The arrays that the code reads, by name, in the order of the arguments. The code must use each of them. */
  readonly inputs: readonly (readonly [name: string, components: Components])[];
  /** The array `result` that the code writes. */
  readonly output: Components;
  /** The fields of `uniforms` in the code: integers, and then numbers. */
  readonly integers: readonly string[];
  readonly numbers: readonly string[];
}

/** The arguments of one run of a program. */
interface WebGPURun {
  readonly inputs: readonly TensorInfo[];
  /** The values of the fields of `uniforms`. */
  readonly integers: readonly number[];
  readonly numbers: readonly number[];
  readonly workgroups: number;
  readonly shape: number[];
}

/** The part of the webgpu backend of tfjs that runs programs. */
export interface WebGPUPrograms {
  /** Runs a program and returns its result, a new float32 tensor. */
  run(program: WebGPUProgram, run: WebGPURun): TensorInfo;
  dispose(tensor: TensorInfo): void;
}

/** A program in the form that the backend takes. */
interface BackendProgram {
  readonly variableNames: string[];
  readonly variableComponents: number[];
  readonly outputComponent: number;
  readonly outputShape: number[];
  readonly dispatchLayout: { readonly x: number[] };
  readonly dispatch: [number, number, number];
  readonly workgroupSize: [number, number, number];
  readonly uniforms: string;
  readonly shaderKey: string;
  getUserCode(): string;
}

interface BackendUniform {
  readonly type: 'int32' | 'float32';
  readonly data: number[];
}

/** The part of tfjs's `WebGPUBackend` that this file relies on. */
interface WebGPUBackend extends KernelBackend {
  readonly device?: { readonly limits?: object };
  runWebGPUProgram?(
    program: BackendProgram,
    inputs: readonly TensorInfo[],
    dtype: 'float32',
    uniforms: readonly BackendUniform[],
  ): TensorInfo;
}

/**
 * Returns the programs of a webgpu backend.
 *
 * @throws Error if the backend does not run programs as the webgpu backend of tfjs does
 */
export function webgpuPrograms(backend: WebGPUBackend): WebGPUPrograms {
  if (typeof backend.runWebGPUProgram !== 'function') throw new Error('the backend has no runWebGPUProgram');
  checkShaders(backend);
  return {
    run(program, { inputs, shape, ...run }) {
      const size = tf.util.sizeFromShape(shape);
      // The inputs are vectors, so one shader serves all shapes.
      const flat = inputs.map((input) => ({ ...input, shape: [tf.util.sizeFromShape(input.shape)] }));
      const output = backend.runWebGPUProgram!(
        backendProgram(program, size, run.workgroups),
        flat,
        'float32',
        backendUniforms(run),
      );
      return { ...output, shape };
    },
    dispose: ({ dataId }) => void backend.disposeData(dataId),
  };
}

function backendProgram(program: WebGPUProgram, size: number, workgroups: number): BackendProgram {
  const fields = [
    ...program.integers.map((name) => `${name} : i32, `),
    ...program.numbers.map((name) => `${name} : f32, `),
  ];
  return {
    variableNames: program.inputs.map(([name]) => name),
    variableComponents: program.inputs.map(([, components]) => components),
    outputComponent: program.output,
    outputShape: [size],
    dispatchLayout: { x: [0] },
    // The backend spreads the workgroups over several axes if they exceed the limit of one axis.
    dispatch: [workgroups, 1, 1],
    workgroupSize: [program.workgroupSize, 1, 1],
    uniforms: fields.join(''),
    shaderKey: `tfjs-parametrize ${program.key}`,
    getUserCode: () => program.code,
  };
}

const backendUniforms = ({
  integers,
  numbers,
}: Pick<WebGPURun, 'integers' | 'numbers'>): BackendUniform[] => [
  ...integers.map((value) => ({ type: 'int32' as const, data: [value] })),
  ...numbers.map((value) => ({ type: 'float32' as const, data: [value] })),
];

/** Patterns in the backend's shader for {@link trial} that the code relies on. */
const relied: readonly RegExp[] = [
  /struct Uniforms \{[^}]*\binteger : i32, number : f32, *\}/,
  /@binding\(0\) var<storage, read_write> result: array<vec4<f32>>/,
  /@binding\(1\) var<storage, read> x: array<f32>/,
  /@binding\(2\) var<storage, read> y: array<vec4<i32>>/,
  /@binding\(3\) var<uniform> uniforms: Uniforms/,
  /@workgroup_size\(64, 1, 1\)/,
  /\bTRIAL\b/,
  /\bmain\(getGlobalIndex\(\)\)/,
];

const trial: WebGPUProgram = {
  key: 'trial',
  code: '// TRIAL',
  workgroupSize: 64,
  inputs: [
    ['x', 1],
    ['y', 4],
  ],
  output: 4,
  integers: ['integer'],
  numbers: ['number'],
};

/**
 * Throws unless the backend compiles a program to a shader that the code can rely on.
 *
 * The backend's method runs here on a substitute object, so nothing happens on the GPU and nothing has to be disposed.
 * A real run would report errors of a shader only later.
 */
function checkShaders(backend: WebGPUBackend): void {
  let shader = '';
  let recorded: unknown[] = [];
  const inPlace = {
    device: {
      limits: backend.device?.limits,
      createShaderModule: ({ code }: { code: string }) => {
        shader = code;
      },
      createComputePipeline: () => 'pipeline',
    },
    pipelineCache: {},
    tensorMap: { get: (id: object) => ({ dtype: (id as TensorInfo).dtype }) },
    makeTensorInfo: (shape: number[], dtype: 'float32') => ({ dataId: { dtype }, shape, dtype }),
    uploadToGPU() {},
    recordAndSubmit(...args: unknown[]) {
      recorded = args;
    },
  };
  const workgroups = 70_000;
  const inputs = (['float32', 'int32'] as const).map((dtype) => ({ dataId: { dtype }, shape: [8], dtype }));
  const uniforms = backendUniforms({ integers: [1], numbers: [2] });
  const program = backendProgram(trial, 4, workgroups);
  let output: TensorInfo | undefined;
  try {
    output = backend.runWebGPUProgram!.call(inPlace, program, inputs, 'float32', uniforms);
  } catch (error) {
    throw new Error(`the backend does not run programs as is relied on: ${String(error)}`);
  }
  const missing = relied.find((part) => !part.test(shader));
  if (missing !== undefined) throw new Error(`the backend makes shaders without ${missing.source}`);
  const threads = (recorded[0] as BackendProgram | undefined)?.dispatch?.reduce((a, b) => a * b, 1) ?? 0;
  if (output?.shape[0] !== 4 || threads < workgroups || recorded[3] !== uniforms) {
    throw new Error('the backend does not run all of a program');
  }
}
