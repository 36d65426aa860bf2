import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs';

/** Prints a tensor, with what every backend of one machine computes alike. */
export function show(label: string, tensor: Tensor): void {
  console.log(label, [...tensor.dataSync()].map((number) => number.toFixed(5)).join(' '));
}

/** Prints a state dict. */
export function showState(label: string, state: NamedTensorMap): void {
  for (const [key, tensor] of Object.entries(state)) show(`${label} ${key}`, tensor);
}
