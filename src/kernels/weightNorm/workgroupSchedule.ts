import { type Run, runsOf } from './layout.ts';

/**
 * The schedule of a dispatch over slices that have a norm each: a workgroup takes some neighbouring slices, and some of
 * its threads take each.
 *
 * Sizes are counted in elements: single numbers, or four neighbouring ones that are read at once.
 */
export interface WorkgroupSchedule {
  /** The number of numbers in an element. */
  readonly components: 1 | 4;
  /** The axes; the last one is counted in elements. */
  readonly runs: readonly Run[];
  /** True if neighbouring numbers belong to different norms: an element has a norm for each of its numbers. */
  readonly isAcross: boolean;
  readonly slices: number;
  readonly length: number;
  /** The number of threads of a workgroup, and the number of them that take a slice. */
  readonly threads: number;
  readonly threadsOfSlice: number;
  /** The number of workgroups that share a slice. If it is more than one, another dispatch reduces their sums. */
  readonly parts: number;
  readonly count: number;
}

/**
 * A multiple of how many threads any GPU runs in step, 8 to 64, and on most no more than two of these groups: hardly
 * anyone waits at a barrier.
 */
const THREADS = 64;

/**
 * Threads wait for memory: where one has more to read than that, its workgroup gets the most threads that every GPU
 * takes.
 */
const MOST_READS = 64;
const MOST_THREADS = 256;

/**
 * Slices that are still longer, and few, are shared by workgroups: below that many, most of a GPU has nothing to do.
 */
const FEW_GROUPS = 32;
const ENOUGH_GROUPS = 512;

/**
 * The least number of reads of a thread before another thread is added. It is twice that before another workgroup is
 * added.
 */
const LEAST_READS = 16;

/** As many threads that read neighbouring elements read whole lines of memory. */
const NEIGHBOURS = 16;

/** The number of neighbouring numbers that a GPU reads at once: 64 bytes. */
const LINE = 16;

/** The schedule for a tensor with a norm over some axes. */
export function scheduleWorkgroups(shape: readonly number[], axes: readonly number[]): WorkgroupSchedule {
  const runs = runsOf(shape, axes);
  const last = runs.at(-1) ?? { size: 1, isKept: false };
  const components = last.size % 4 === 0 ? 4 : 1;
  if (runs.length > 0) runs[runs.length - 1] = { ...last, size: last.size / components };
  const elements = (isKept: boolean) =>
    runs.reduce((product, run) => (run.isKept === isKept ? product * run.size : product), 1);
  const [slices, length, isAcross] = [elements(true), elements(false), last.isKept];

  const split = (threads: number) => {
    // Neighbouring threads get neighbouring elements: those of other slices, or the next ones of the same.
    const most = threads / Math.min(isAcross ? LINE / components : 1, powerOf2From(slices));
    const wanted = Math.max(powerOf2From(length / LEAST_READS), isAcross ? 1 : NEIGHBOURS);
    const threadsOfSlice = Math.min(most, wanted, powerOf2From(length));
    const groups = Math.ceil((slices * threadsOfSlice) / threads);
    return { threads, threadsOfSlice, groups, reads: Math.ceil(length / threadsOfSlice) };
  };
  const few = split(THREADS);
  const many = few.reads > MOST_READS ? split(MOST_THREADS) : few;
  const isShared = many.groups < FEW_GROUPS && many.reads > 2 * MOST_READS;
  const { threads, threadsOfSlice, groups, reads } = isShared ? few : many;
  const parts = isShared
    ? Math.min(Math.ceil(ENOUGH_GROUPS / groups), Math.ceil(reads / (2 * LEAST_READS)))
    : 1;
  return {
    components,
    runs,
    isAcross,
    slices,
    length,
    threads,
    threadsOfSlice,
    parts,
    count: groups * parts,
  };
}

/** The smallest power of two that is not less. */
const powerOf2From = (n: number): number => 2 ** Math.ceil(Math.log2(Math.max(n, 1)));
