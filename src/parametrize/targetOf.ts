import type { Tensor } from '@tensorflow/tfjs-core';
import { outputAxis } from '../nn/module/outputAxis.ts';
import type { TargetTensor } from './definition.ts';
import type { Site } from './host/site.ts';

/** Returns what a definition knows about a tensor. */
export function targetOf(value: Tensor, site: Site): TargetTensor {
  const outputAxes = site.outputAxes(value.rank);
  return {
    value,
    outputAxes,
    outputAxis: outputAxes?.[0] ?? outputAxis(site.owner, value),
    featureAxes: site.featureAxes(value.rank),
  };
}
