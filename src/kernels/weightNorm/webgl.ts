import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';
import { webglPrograms } from '../../engine/webglPrograms.ts';
import type { NormKeepingKernels } from './kernels.ts';
import {
  type FragmentSchedule,
  integersOf,
  type Output,
  scheduleFragments,
  scheduleParts,
  weightNormProgram,
} from './webglShader.ts';

/**
 * Makes the kernels of weight normalization for the webgl backend. They take two draw calls forward (norms, W) and two
 * backward (dg, dv). For few long slices, norms and dg take two draw calls each.
 *
 * @throws Error if the backend is not like the webgl backend of tfjs, or if the device has no WebGL 2 or no float32
 */
export function webglWeightNorm(backend: KernelBackend): NormKeepingKernels {
  const { run, withFlat, dispose } = webglPrograms(backend);
  const draw = (
    schedule: FragmentSchedule,
    output: Output,
    inputs: TensorInfo[],
    shape: number[],
    eps: number,
  ) =>
    run(weightNormProgram(schedule, output), {
      inputs,
      integers: integersOf(schedule),
      numbers: [eps],
      shape,
    });
  /** Computes one number for each slice. */
  const reduce = (
    schedule: FragmentSchedule,
    [ofNumbers, ofTheParts]: readonly [Output, Output],
    inputs: TensorInfo[],
    shape: number[],
    eps: number,
  ) => {
    const { slices, parts } = schedule;
    if (parts === 1) return draw(schedule, ofNumbers, inputs, shape, eps);
    const partial = draw(schedule, ofNumbers, inputs, [slices * parts], eps);
    const result = draw(scheduleParts(schedule), ofTheParts, [partial], shape, eps);
    dispose(partial);
    return result;
  };
  const flat = (tensor: TensorInfo, { slices }: FragmentSchedule) => ({ ...tensor, shape: [slices] });
  return {
    keepsNorms: true,
    forward(g, v, axes, eps) {
      const schedule = scheduleFragments(v.shape, axes);
      return withFlat([g, v], ([g1, v1]) => {
        const norms = reduce(schedule, ['norm', 'norm'], [v1!], g.shape, eps);
        const W = draw(schedule, 'W', [v1!, g1!, flat(norms, schedule)], v.shape, eps);
        return [W, norms];
      });
    },
    backward(dW, g, v, norms, axes, eps) {
      const schedule = scheduleFragments(v.shape, axes);
      return withFlat([dW, g, v, norms!], ([dW1, g1, v1, norms1]) => {
        const dg = reduce(schedule, ['product', 'sum'], [dW1!, v1!, norms1!], g.shape, eps);
        const dv = draw(schedule, 'dv', [dW1!, v1!, g1!, norms1!, flat(dg, schedule)], v.shape, eps);
        return [dg, dv];
      });
    },
  };
}
