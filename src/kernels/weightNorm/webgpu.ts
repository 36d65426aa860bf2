import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';
import { type WebGPUProgram, type WebGPUPrograms, webgpuPrograms } from '../../engine/webgpuPrograms.ts';
import type { NormlessKernels } from './kernels.ts';
import { type Step, shaderOf } from './webgpuShader.ts';
import { scheduleWorkgroups, type WorkgroupSchedule } from './workgroupSchedule.ts';

/**
 * Makes the kernels of weight normalization for the webgpu backend. They take one dispatch forward and two backward, or
 * two and three for few long slices.
 *
 * A shader of the backend writes one tensor. So the norms are not kept; each dispatch that needs them computes them
 * again.
 *
 * @throws Error if the backend is not like the webgpu backend of tfjs
 */
export function webgpuWeightNorm(backend: KernelBackend): NormlessKernels {
  const programs = webgpuPrograms(backend);
  return {
    keepsNorms: false,
    forward(g, v, axes, eps) {
      const passes = passesOf(programs, v, axes, eps);
      return passes.withSums(false, { v }, (sums) => [passes.compute('W', { v, g, ...sums }, v.shape)]);
    },
    backward(dW, g, v, axes, eps) {
      const passes = passesOf(programs, v, axes, eps);
      return passes.withSums(true, { v, dW }, (sums) => {
        const dg = passes.compute('dg', sums ?? { v, dW }, g.shape);
        return [dg, passes.compute('dv', { v, dW, g, dg, ...sums }, v.shape)];
      });
    },
  };
}

type Inputs = Readonly<Record<string, TensorInfo>>;

/** Returns the passes over a tensor according to its schedule. */
function passesOf(programs: WebGPUPrograms, v: TensorInfo, axes: readonly number[], eps: number) {
  const schedule = scheduleWorkgroups(v.shape, axes);
  const integers = integersOf(schedule);
  const run = (step: Step, inputs: Inputs, shape: number[]) =>
    programs.run(programOf(schedule, step, Object.keys(inputs)), {
      inputs: Object.values(inputs),
      integers,
      numbers: [eps],
      workgroups: schedule.count,
      shape,
    });
  return {
    compute: (computed: Exclude<Step['computed'], 'sums'>, inputs: Inputs, shape: number[]) =>
      run({ computed, withProducts: computed === 'dg', fromParts: schedule.parts > 1 }, inputs, shape),
    /** Calls `use` with the sums over parts of slices if workgroups share slices. */
    withSums<Outputs>(withProducts: boolean, inputs: Inputs, use: (sums?: Inputs) => Outputs): Outputs {
      if (schedule.parts === 1) return use();
      const size = 3 * schedule.parts * schedule.slices * componentsOf(schedule, 'sums');
      const sums = run({ computed: 'sums', withProducts, fromParts: false }, inputs, [size]);
      const outputs = use({ sums });
      programs.dispose(sums);
      return outputs;
    },
  };
}

/** The tensors with one number for each norm. The others have as many numbers as v. */
const ofNorms = new Set(['g', 'dg', 'sums']);

const componentsOf = ({ components, isAcross }: WorkgroupSchedule, name: string): 1 | 4 =>
  ofNorms.has(name) && !isAcross ? 1 : components;

function programOf(schedule: WorkgroupSchedule, step: Step, inputs: readonly string[]): WebGPUProgram {
  const { components, runs, threads, threadsOfSlice } = schedule;
  const kinds = runs.map(({ isKept }) => (isKept ? 'kept' : 'summed'));
  return {
    key: ['weightNorm', ...Object.values(step), ...kinds, components, threads, threadsOfSlice].join(' '),
    code: shaderOf(schedule, step),
    workgroupSize: threads,
    inputs: inputs.map((name) => [name, componentsOf(schedule, name)]),
    output: componentsOf(schedule, step.computed),
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

/** Returns the values of the integers of a program. */
function integersOf({ slices, length, parts, runs }: WorkgroupSchedule): number[] {
  let size = 1;
  const sizes = [...runs].reverse().map((run) => {
    const stride = size;
    size *= run.size;
    return [run.size, stride];
  });
  return [slices, length, parts, Math.ceil(length / parts), ...sizes.reverse().flat()];
}
