import type { SecondCallDefinition, TargetTensor } from '../../parametrize/definition.ts';
import { type AdapterOptions, adapterOptions, optionsFor } from './adapterOptions.ts';
import type { Adapters } from './adapters.ts';

/** The parts of the definition that maps with adapters of low rank share. */
export const adapterDefinition = {
  hasFixedFields: true,
  freezesBase: true,
  options: adapterOptions,
  config: (map: Adapters): AdapterOptions => map.config(),
} as const;

/**
 * The effect of a second call: it adds adapters, and none of them is active.
 *
 * @param complete - completes the options by what the tensor decides
 */
export const addsAdapters = <P extends Adapters>(
  complete: (target: TargetTensor, caller: string, options: AdapterOptions) => AdapterOptions = optionsFor,
): SecondCallDefinition<P, AdapterOptions> => ({
  plan: (present, options) => present.planCall(options),
  change(present, options, target) {
    const names = present.addAdapters(target.value, complete(target, present.caller, options));
    if (options.active) present.active = { ...present.active, ...options.active };
    return () => present.removeAdapters(names.filter((name) => present.adapterNames.includes(name)));
  },
});
