import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainTileMemory, tileWorkspace, wasmTileMemory } from '../../../src/kernels/memory/tileWorkspace.ts';
import { simdRoutines } from '../../../src/kernels/simd/simdRoutines.ts';
import { backward } from '../../../src/kernels/weightNorm/backward.ts';
import { forward } from '../../../src/kernels/weightNorm/forward.ts';
import { type Layout, layoutOf } from '../../../src/kernels/weightNorm/layout.ts';
import { plainRoutines } from '../../../src/kernels/weightNorm/plainRoutines.ts';

// The routines, without tfjs: in WebAssembly, in plain JavaScript, and in a memory that threads share.

const simdWorkspace = () => {
  const own = wasmTileMemory();
  return tileWorkspace(own, simdRoutines(own.memory));
};
const plainWorkspace = () => {
  const memory = plainTileMemory();
  return tileWorkspace(memory, plainRoutines(memory));
};
const sharedWorkspace = () => {
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true });
  const reserve = (bytes: number) => expect(bytes).toBeLessThanOrEqual(memory.buffer.byteLength);
  return tileWorkspace({ buffer: memory.buffer, reserve }, simdRoutines(memory));
};

/** Random numbers, the same for the same seed. */
const numbers = (length: number, seed: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(seed + 12.9898 * (i + 1)) * 2);

interface Problem {
  readonly layout: Layout;
  readonly size: number;
  readonly norms: number;
}

/** Sizes around those of the pieces, 8192 numbers, and of the vectors. */
const problems: fc.Arbitrary<Problem> = fc
  .constantFrom<[number[], number[]]>(
    [[5, 7], [1]],
    [[3, 8191], [1]],
    [[3, 8192], [1]],
    [[2, 8193], [1]],
    [[9000, 3], [1]],
    [[2, 20_000], [1]],
    [[7, 33], [0]],
    [[300, 50], [0]],
    [[3000, 7], [0]],
    [[3, 9000], [0]],
    [
      [4, 9, 1000],
      [0, 2],
    ],
    [
      [2, 3, 9000],
      [0, 2],
    ],
    [[3, 50, 70], [1]],
    [
      [40, 3, 5, 2],
      [0, 2],
    ],
  )
  .map(([shape, axes]) => {
    const product = (sizes: number[]) => sizes.reduce((a, b) => a * b, 1);
    return {
      layout: layoutOf(shape, axes),
      size: product(shape),
      norms: product(shape.filter((_, axis) => !axes.includes(axis))),
    };
  });

function compute(
  space: ReturnType<typeof tileWorkspace>,
  { layout, size, norms: count }: Problem,
  seed: number,
) {
  const [g, v, dW] = [numbers(count, seed), numbers(size, seed + 1), numbers(size, seed + 2)];
  const [W, norms, dg, dv] = [size, count, count, size].map((length) => new Float32Array(length));
  forward(space, layout, { g, v, W: W!, norms: norms!, eps: 0 });
  backward(space, layout, { dW, g, v, norms: norms!, dg: dg!, dv: dv!, eps: 0 });
  return { W: W!, norms: norms!, dg: dg!, dv: dv! };
}

describe('the routines of weight norm', () => {
  it.each<[string, () => ReturnType<typeof tileWorkspace>]>([
    ['in plain JavaScript', plainWorkspace],
    ['in a memory that threads share', sharedWorkspace],
  ])('%s compute what those in WebAssembly do', (_, make) => {
    const [simd, other] = [simdWorkspace(), make()];
    fc.assert(
      fc.property(problems, fc.integer({ min: 0, max: 1000 }), (problem, seed) => {
        const [wanted, actual] = [simd, other].map((space) => compute(space, problem, seed));
        for (const [name, values] of Object.entries(wanted!)) {
          const largest = values.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
          const worst = values.reduce(
            (max, x, i) => Math.max(max, Math.abs(x - actual![name as keyof typeof wanted]![i]!)),
            0,
          );
          expect(worst, name).toBeLessThanOrEqual(2e-6 * largest);
        }
      }),
    );
  });
});
