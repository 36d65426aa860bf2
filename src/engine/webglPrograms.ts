import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/** A computation on the GPU, with one shader and one output. */
export interface WebGLProgram {
  /** The names of the inputs. The code reads element i of `x` as `getX(i)`. */
  readonly inputs: readonly string[];
  /**
   * The code in GLSL ES 3.00. Its `main` calls `setOutput` with the element of the output at index `getOutputCoords()`.
   */
  readonly code: string;
  /** The uniforms of the code: integers, and then numbers. */
  readonly integers: readonly string[];
  readonly numbers: readonly string[];
}

/** The arguments of one run of a program. */
interface WebGLRun {
  /** The inputs as vectors; see {@link WebGLPrograms.withFlat}. */
  readonly inputs: readonly TensorInfo[];
  /** The values of the uniforms. */
  readonly integers: readonly number[];
  readonly numbers: readonly number[];
  readonly shape: number[];
}

/** The part of the webgl backend of tfjs that runs programs. */
export interface WebGLPrograms {
  /**
   * Runs a program and returns its result, a new float32 tensor. It takes one draw call, and another one for each input
   * that is not on the GPU yet.
   */
  run(program: WebGLProgram, run: WebGLRun): TensorInfo;
  /**
   * Calls `use` with the tensors as vectors, which programs need.
   *
   * The backend keeps four numbers of a matrix in one pixel after some of its operations. Such tensors are first
   * unpacked, with one draw call each.
   */
  withFlat<T>(tensors: readonly TensorInfo[], use: (flat: TensorInfo[]) => T): T;
  dispose(tensor: TensorInfo): void;
}

/** A program in the form that the backend takes. */
interface BackendProgram {
  readonly variableNames: readonly string[];
  readonly outputShape: number[];
  readonly userCode: string;
  /** True, so that one shader serves all shapes. */
  readonly enableShapeUniforms: true;
  readonly customUniforms: readonly { readonly name: string; readonly type: 'int' | 'float' }[];
}

/** The part of tfjs's `MathBackendWebGL` that this file relies on. */
interface WebGLBackend extends KernelBackend {
  readonly texData?: { get(dataId: object): { readonly isPacked?: boolean } };
  compileAndRun?(
    program: BackendProgram,
    inputs: readonly TensorInfo[],
    dtype: 'float32',
    uniforms: readonly (readonly number[])[],
  ): TensorInfo;
  unpackTensor?(tensor: TensorInfo): TensorInfo;
  disposeIntermediateTensorInfo?(tensor: TensorInfo): void;
}

/**
 * Returns the programs of a webgl backend.
 *
 * @throws Error if the backend does not run programs as the webgl backend of tfjs does, or if the device has no WebGL 2
 * or no float32
 */
export function webglPrograms(backend: WebGLBackend): WebGLPrograms {
  if (
    typeof backend.texData?.get !== 'function' ||
    typeof backend.compileAndRun !== 'function' ||
    typeof backend.unpackTensor !== 'function' ||
    typeof backend.disposeIntermediateTensorInfo !== 'function'
  ) {
    throw new Error(
      'the backend has no texData, compileAndRun, unpackTensor or disposeIntermediateTensorInfo',
    );
  }
  // Shaders of WebGL 1 cannot have loops whose length is unknown at compile time.
  if (tf.env().getNumber('WEBGL_VERSION') !== 2) throw new Error('the device has no WebGL 2');
  if (!tf.env().getBool('WEBGL_RENDER_FLOAT32_ENABLED')) throw new Error('the device computes in float16');
  const programs: WebGLPrograms = {
    run(program, { inputs, integers, numbers, shape }) {
      const uniforms = [...integers, ...numbers].map((value) => [value]);
      const output = backend.compileAndRun!(
        backendProgram(program, tf.util.sizeFromShape(shape)),
        inputs,
        'float32',
        uniforms,
      );
      return { ...output, shape };
    },
    withFlat(tensors, use) {
      const unpacked: TensorInfo[] = [];
      try {
        const flat = tensors.map((tensor) => {
          let plain = tensor;
          if (backend.texData!.get(tensor.dataId).isPacked === true) {
            plain = backend.unpackTensor!(tensor);
            unpacked.push(plain);
          }
          return { ...plain, shape: [tf.util.sizeFromShape(tensor.shape)] };
        });
        return use(flat);
      } finally {
        unpacked.forEach(programs.dispose);
      }
    },
    dispose: (tensor) => backend.disposeIntermediateTensorInfo!(tensor),
  };
  checkPrograms(programs, backend);
  return programs;
}

function backendProgram({ inputs, code, integers, numbers }: WebGLProgram, size: number): BackendProgram {
  return {
    variableNames: inputs,
    outputShape: [size],
    // The backend identifies programs by their code. Two programs with the same code would get the uniforms of the
    // first.
    userCode: `// ${[...integers, ...numbers].join(' ')}\n${code}`,
    enableShapeUniforms: true,
    customUniforms: [
      ...integers.map((name) => ({ name, type: 'int' as const })),
      ...numbers.map((name) => ({ name, type: 'float' as const })),
    ],
  };
}

const trial: WebGLProgram = {
  inputs: ['x'],
  code: `void main() {
    int index = getOutputCoords();
    float sum = 0.;
    for (int i = index; i < count; i++) sum += getX(i);
    setOutput(isnan(sum) ? sum : sum * factor);
  }`,
  integers: ['count'],
  numbers: ['factor'],
};

/**
 * Throws unless the backend compiles a small program. The result is not checked, because reading it would wait for the
 * GPU.
 */
function checkPrograms({ run, dispose }: WebGLPrograms, backend: WebGLBackend): void {
  const x: TensorInfo = {
    dataId: backend.write(Float32Array.of(1, 2, 3, 4, 5, 6), [6], 'float32'),
    shape: [6],
    dtype: 'float32',
  };
  let output: TensorInfo | undefined;
  try {
    output = run(trial, { inputs: [x], integers: [6], numbers: [2], shape: [2, 3] });
  } catch (error) {
    throw new Error(`the backend does not run programs as is relied on: ${String(error)}`);
  } finally {
    dispose(x);
    if (output !== undefined) dispose(output);
  }
}
