import type { Method } from '../../../examples/paper/methods.ts';
import { batchNormed, initialized, meanOnly, methods, plain } from '../../../examples/paper/methods.ts';
import type { Run } from '../../../examples/paper/runMethod.ts';

/** A run whose loss is 2 until a step, and then its last loss. */
export const runOf = (method: Method, rate: number, seed: number, step: number, last: number): Run => ({
  method,
  rate,
  seed,
  losses: Array.from({ length: 40 }, (_, i) => (i < step ? 2 : last)),
  testError: last / 10,
  growth: 1 + 10 * rate,
  noise: method === meanOnly ? 0.05 : method === batchNormed ? 0.2 : 0,
  time: method === batchNormed ? 12 : 10,
});

/** Runs in which the paper is right: three seeds with two rates, the larger of which is better. */
export const agreeingRuns = (): Run[] =>
  [1, 2, 3].flatMap((seed) =>
    [0.001, 0.01].flatMap((rate) =>
      methods.map((method) => {
        const steps = {
          [plain.name]: 25,
          [initialized.name]: 12,
          [meanOnly.name]: 8,
          [batchNormed.name]: 10,
        };
        const losses = {
          [plain.name]: 0.6,
          [initialized.name]: 0.3,
          [meanOnly.name]: 0.1,
          [batchNormed.name]: 0.2,
        };
        const step = steps[method.name] ?? 20;
        const loss = losses[method.name] ?? 0.4;
        return runOf(method, rate, seed, step, rate === 0.01 ? loss : 2 * loss);
      }),
    ),
  );
