import { type Run, runsOf } from './layout.ts';

/**
 * The schedule of a dispatch over slices with one norm each. A workgroup takes some neighbouring slices, and some of
 * its threads share each slice.
 *
 * Sizes count elements. An element is one number, or four neighbouring numbers that are read at once.
 */
export interface WorkgroupSchedule {
  /** The size of an element. */
  readonly components: 1 | 4;
  /** The axes. The last one counts elements. */
  readonly runs: readonly Run[];
  /** True if neighbouring numbers belong to different norms, so that each number of an element has its own norm. */
  readonly isAcross: boolean;
  readonly slices: number;
  readonly length: number;
  /** The number of threads of a workgroup, and of the threads that share a slice. */
  readonly threads: number;
  readonly threadsOfSlice: number;
  /** The number of workgroups that share a slice. If it is more than one, another dispatch reduces their sums. */
  readonly parts: number;
  readonly count: number;
}

/**
 * The number of threads of a workgroup. It is a multiple of the number of threads that a GPU runs in step (8 to 64),
 * and at most two such groups on most GPUs, so few threads wait at a barrier.
 */
const THREADS = 64;

/**
 * The number of reads of a thread above which its workgroup gets the most threads that every GPU supports. Threads wait
 * for memory.
 */
const MOST_READS = 64;
const MOST_THREADS = 256;

/** The number of workgroups below which workgroups share long slices, because most of a GPU would be idle. */
const FEW_GROUPS = 32;
const ENOUGH_GROUPS = 512;

/** The least number of reads of a thread before a thread is added. A workgroup is added at twice that number. */
const LEAST_READS = 16;

/** The number of threads that together read whole lines of memory. */
const NEIGHBOURS = 16;

/** The numbers in a line of memory, which a GPU reads at once: 64 bytes. */
const LINE = 16;

/** Returns the schedule for a tensor with a norm over some axes. */
export function scheduleWorkgroups(shape: readonly number[], axes: readonly number[]): WorkgroupSchedule {
  const runs = runsOf(shape, axes);
  const last = runs.at(-1) ?? { size: 1, isKept: false };
  const components = last.size % 4 === 0 ? 4 : 1;
  if (runs.length > 0) runs[runs.length - 1] = { ...last, size: last.size / components };
  const elements = (isKept: boolean) =>
    runs.reduce((product, run) => (run.isKept === isKept ? product * run.size : product), 1);
  const [slices, length, isAcross] = [elements(true), elements(false), last.isKept];

  const split = (threads: number) => {
    // Neighbouring threads get neighbouring elements, of other slices or of the same slice.
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

/** Returns the smallest power of two that is at least n. */
const powerOf2From = (n: number): number => 2 ** Math.ceil(Math.log2(Math.max(n, 1)));
