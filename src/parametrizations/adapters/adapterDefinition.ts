import type { SecondCallDefinition } from '../../parametrize/definition.ts';
import { type AdapterOptions, adapterOptions, optionsFor } from './adapterOptions.ts';
import type { LowRankAdapters } from './lowRankAdapters.ts';

/** The parts of the definition that maps with adapters share. */
export const adapterDefinition = {
  hasFixedFields: true,
  freezesBase: true,
  options: adapterOptions,
  config: (map: LowRankAdapters): AdapterOptions => map.config(),
} as const;

/** The effect of a second call: it adds adapters, and none of them is active. */
export const addsAdapters = <P extends LowRankAdapters>(): SecondCallDefinition<P, AdapterOptions> => ({
  plan: (present, options) => present.planCall(options),
  change(present, options, target) {
    const names = present.addAdapters(target.value, optionsFor(target, present.caller, options));
    if (options.active) present.active = { ...present.active, ...options.active };
    return () => present.removeAdapters(names.filter((name) => present.adapterNames.includes(name)));
  },
});
