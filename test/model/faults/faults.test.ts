import 'tfjs-parametrize/layers';
import { describe, expect, it } from 'vitest';
import { runFaults } from './run.ts';
import { layerCases, moduleCases } from './verbs.ts';

// `FAULTS=all` injects a fault at every step of every call, `FAULTS=100` at a hundred of each.
const wanted = process.env['FAULTS'] ?? '3';
const most = wanted === 'all' ? Number.POSITIVE_INFINITY : Number(wanted);

describe('a fault in any step of a call on more than 50 tensors', () => {
  it.each(Object.entries({ ...moduleCases, ...layerCases }))(
    'changes nothing and leaks nothing: %s',
    async (_name, make) => {
      const { steps, injected, failures } = await runFaults(make, most);
      expect(failures).toEqual([]);
      expect(steps).toBeGreaterThan(50);
      expect(injected).toBeGreaterThanOrEqual(Math.min(steps, most) / 2);
    },
    3_600_000,
  );
});
