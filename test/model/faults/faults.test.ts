import 'tfjs-parametrize/layers';
import { describe, expect, it } from 'vitest';
import { layerCases } from './layerCases.ts';
import { moduleCases } from './moduleCases.ts';
import { runFaults } from './run.ts';

const most = 3;

// `npm run faults` injects a fault at every step.
describe('a fault in any step of a call on more than 50 tensors', () => {
  it.each(Object.entries({ ...moduleCases, ...layerCases }))(
    'changes nothing and leaks nothing: %s',
    async (_name, make) => {
      const { steps, injected, failures } = await runFaults(make, { most });
      expect(failures).toEqual([]);
      expect(steps).toBeGreaterThan(50);
      expect(injected).toBeGreaterThan(most / 2);
    },
  );
});
