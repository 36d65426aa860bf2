import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  scheduleWorkgroups,
  type WorkgroupSchedule,
} from '../../../src/kernels/weightNorm/workgroupSchedule.ts';
import { problems } from './problems.ts';

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** How many elements each thread of each workgroup has, and how many elements all have together. */
function readsOf({ slices, length, threads, threadsOfSlice, parts, count }: WorkgroupSchedule) {
  const slicesAtOnce = threads / threadsOfSlice;
  const partLength = Math.ceil(length / parts);
  let [most, all] = [0, 0];
  for (let group = 0; group < count; group++) {
    const part = group % parts;
    const first = Math.floor(group / parts) * slicesAtOnce;
    const there = Math.max(0, Math.min(slicesAtOnce, slices - first));
    const size = Math.max(0, Math.min(length - part * partLength, partLength));
    most = Math.max(most, Math.ceil(size / threadsOfSlice));
    all += there * size;
  }
  return { most, all };
}

describe('the schedule of workgroups for a tensor', () => {
  it('have every number once, in threads that every GPU has, for all shapes and axes', () => {
    fc.assert(
      fc.property(problems, ({ shape, axes }) => {
        const schedule = scheduleWorkgroups(shape, axes);
        const { components, isAcross, slices, threads, threadsOfSlice } = schedule;
        expect(readsOf(schedule).all * components).toBe(sizeOf(shape));
        const norms = sizeOf(shape.filter((_, axis) => !axes.includes(axis)));
        expect(slices * (isAcross ? components : 1)).toBe(norms);
        expect([64, 256]).toContain(threads);
        expect(Number.isInteger(Math.log2(threadsOfSlice))).toBe(true);
        expect(threadsOfSlice).toBeLessThanOrEqual(threads);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['kept first', [1024, 9216], [1]],
    ['kept last', [9216, 1024], [0]],
    ['kept first, of filters', [64, 3, 7, 7], [1, 2, 3]],
    ['kept last, of filters', [3, 3, 512, 64], [0, 1, 2]],
    ['kept last, of few columns', [2048, 10], [0]],
    ['kept first, of few rows', [10, 16_384], [1]],
  ] as [string, number[], number[]][])('share no slice of what is usual: %s', (_, shape, axes) => {
    const schedule = scheduleWorkgroups(shape, axes);
    expect(schedule.parts).toBe(1);
    expect(readsOf(schedule).most).toBeLessThanOrEqual(160);
  });

  it('give no thread much to read where few slices are long', () => {
    const shapes = [[3072, 3072], [9_437_184], [4_718_592, 2], [3, 3_145_728]];
    const axes = [[0, 1], [0], [0], [1]];
    shapes.forEach((shape, i) => {
      const schedule = scheduleWorkgroups(shape, axes[i]!);
      expect(schedule.parts).toBeGreaterThan(1);
      expect(schedule.count).toBeGreaterThanOrEqual(256);
      expect(readsOf(schedule).most).toBeLessThanOrEqual(300);
    });
  });

  it('lets neighbouring threads read whole lines of memory', () => {
    const rows = scheduleWorkgroups([512, 1152], [1]);
    expect(rows.threadsOfSlice * rows.components).toBeGreaterThanOrEqual(16);
    const columns = scheduleWorkgroups([1152, 512], [0]);
    expect((columns.threads / columns.threadsOfSlice) * columns.components).toBeGreaterThanOrEqual(16);
  });
});
