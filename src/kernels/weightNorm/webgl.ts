import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';
import { webglPrograms } from '../../engine/webglPrograms.ts';
import {
  type Fragments,
  fragmentsOf,
  integersOf,
  type Output,
  ofParts,
  weightNormProgram,
} from './fragments.ts';
import type { WeightNormKernels } from './kernels.ts';

/**
 * Weight normalization on the webgl backend: two drawings forward, the norms and W, and two backward, dg and dv; of few
 * long slices, norms and dg take two each.
 *
 * @throws Error if the backend is not as that of tfjs, or the device has no WebGL 2 or no float32
 */
export function webglWeightNorm(backend: KernelBackend): WeightNormKernels {
  const { run, withFlat, dispose } = webglPrograms(backend);
  const draw = (fragments: Fragments, output: Output, inputs: TensorInfo[], shape: number[], eps: number) =>
    run(weightNormProgram(fragments, output), {
      inputs,
      integers: integersOf(fragments),
      numbers: [eps],
      shape,
    });
  /** One number for each slice. */
  const reduce = (
    fragments: Fragments,
    [ofNumbers, ofTheParts]: readonly [Output, Output],
    inputs: TensorInfo[],
    shape: number[],
    eps: number,
  ) => {
    const { slices, parts } = fragments;
    if (parts === 1) return draw(fragments, ofNumbers, inputs, shape, eps);
    const partial = draw(fragments, ofNumbers, inputs, [slices * parts], eps);
    const result = draw(ofParts(fragments), ofTheParts, [partial], shape, eps);
    dispose(partial);
    return result;
  };
  const flat = (tensor: TensorInfo, { slices }: Fragments) => ({ ...tensor, shape: [slices] });
  return {
    forward(g, v, axes, eps) {
      const fragments = fragmentsOf(v.shape, axes);
      return withFlat([g, v], ([g1, v1]) => {
        const norms = reduce(fragments, ['norm', 'norm'], [v1!], g.shape, eps);
        const W = draw(fragments, 'W', [v1!, g1!, flat(norms, fragments)], v.shape, eps);
        return [W, norms];
      });
    },
    backward(dW, g, v, norms, axes, eps) {
      const fragments = fragmentsOf(v.shape, axes);
      return withFlat([dW, g, v, norms!], ([dW1, g1, v1, norms1]) => {
        const dg = reduce(fragments, ['product', 'sum'], [dW1!, v1!, norms1!], g.shape, eps);
        const dv = draw(fragments, 'dv', [dW1!, v1!, g1!, norms1!, flat(dg, fragments)], v.shape, eps);
        return [dg, dv];
      });
    },
  };
}
