import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';
import { type WebGPUProgram, type WebGPUPrograms, webgpuPrograms } from '../../engine/webgpuPrograms.ts';
import type { NormlessWeightNormKernels } from './kernels.ts';
import { type Step, shaderOf } from './shader.ts';
import { type Workgroups, workgroupsOf } from './workgroups.ts';

/**
 * Weight normalization on the webgpu backend: one dispatch forward, two backward; where few slices are long, two and three.
 *
 * A shader of the backend writes one tensor: the norms are not kept, but added up again by each dispatch that needs them.
 *
 * @throws Error if the backend is not as that of tfjs
 */
export function webgpuWeightNorm(backend: KernelBackend): NormlessWeightNormKernels {
  const programs = webgpuPrograms(backend);
  return {
    keepsNorms: false,
    forward(g, v, axes, eps) {
      const dealt = deal(programs, v, axes, eps);
      return dealt.withSums(false, { v }, (sums) => [dealt.compute('W', { v, g, ...sums }, v.shape)]);
    },
    backward(dW, g, v, axes, eps) {
      const dealt = deal(programs, v, axes, eps);
      return dealt.withSums(true, { v, dW }, (sums) => {
        const dg = dealt.compute('dg', sums ?? { v, dW }, g.shape);
        return [dg, dealt.compute('dv', { v, dW, g, dg, ...sums }, v.shape)];
      });
    },
  };
}

type Inputs = Readonly<Record<string, TensorInfo>>;

/** What runs steps on a tensor that is dealt out to workgroups. */
function deal(programs: WebGPUPrograms, v: TensorInfo, axes: readonly number[], eps: number) {
  const groups = workgroupsOf(v.shape, axes);
  const integers = integersOf(groups);
  const run = (step: Step, inputs: Inputs, shape: number[]) =>
    programs.run(programOf(groups, step, Object.keys(inputs)), {
      inputs: Object.values(inputs),
      integers,
      numbers: [eps],
      workgroups: groups.count,
      shape,
    });
  return {
    compute: (computed: Exclude<Step['computed'], 'sums'>, inputs: Inputs, shape: number[]) =>
      run({ computed, withProducts: computed === 'dg', fromParts: groups.parts > 1 }, inputs, shape),
    /** Calls `use` with the sums over parts of slices, if workgroups share them. */
    withSums<Outputs>(withProducts: boolean, inputs: Inputs, use: (sums?: Inputs) => Outputs): Outputs {
      if (groups.parts === 1) return use();
      const size = 3 * groups.parts * groups.slices * componentsOf(groups, 'sums');
      const sums = run({ computed: 'sums', withProducts, fromParts: false }, inputs, [size]);
      const outputs = use({ sums });
      programs.dispose(sums);
      return outputs;
    },
  };
}

/** Tensors with one number for each norm; the others have as many numbers as v. */
const ofNorms = new Set(['g', 'dg', 'sums']);

const componentsOf = ({ components, isAcross }: Workgroups, name: string): 1 | 4 =>
  ofNorms.has(name) && !isAcross ? 1 : components;

function programOf(groups: Workgroups, step: Step, inputs: readonly string[]): WebGPUProgram {
  const { components, runs, threads, threadsOfSlice } = groups;
  const kinds = runs.map(({ isKept }) => (isKept ? 'kept' : 'summed'));
  return {
    key: ['weightNorm', ...Object.values(step), ...kinds, components, threads, threadsOfSlice].join(' '),
    code: shaderOf(groups, step),
    workgroupSize: threads,
    inputs: inputs.map((name) => [name, componentsOf(groups, name)]),
    output: componentsOf(groups, step.computed),
    integers: [
      'slices',
      'sliceLength',
      'parts',
      'partLength',
      ...runs.flatMap((_, i) => [`size${i}`, `stride${i}`]),
    ],
    numbers: ['eps'],
  };
}

/** The values of the integers of a program. */
function integersOf({ slices, length, parts, runs }: Workgroups): number[] {
  let size = 1;
  const sizes = [...runs].reverse().map((run) => {
    const stride = size;
    size *= run.size;
    return [run.size, stride];
  });
  return [slices, length, parts, Math.ceil(length / parts), ...sizes.reverse().flat()];
}
