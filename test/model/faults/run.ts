import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs';
import { nn } from 'tfjs-parametrize';
import { type Case, disposeLayers } from './cases.ts';
import { injectFault } from './injectFault.ts';
import { differences, type Photograph, photograph } from './photograph.ts';

type Make = () => Promise<Case> | Case;

/** Which points of a call get a fault. */
export interface Points {
  /** The number of points, spread over the call; all without it. */
  readonly most?: number;
  /** One part of these points, from 0, and the number of parts. */
  readonly shard?: readonly [number, number];
  /** The run ends after so many failures. */
  readonly failures?: number;
}

/** The result of a run over the points of one call. */
export interface FaultRun {
  /** The number of steps of tfjs in the call. */
  readonly steps: number;
  /** The number of points at which a fault was injected. */
  readonly injected: number;
  /** The number of points at which tfjs itself would leak. The fault was injected at the next other point. */
  readonly passedOver: number;
  /** Points at which something had changed, or the call did not fail. */
  readonly failures: readonly string[];
}

/** A case with its photograph before the call. */
interface Taken {
  readonly one: Case;
  readonly before: Photograph;
  readonly buffers: number;
  /** The memory before the case was made. */
  readonly memory: string;
}

/**
 * Injects a fault at points of a call, and compares everything with a photograph of before. As a fault changes nothing,
 * the points share a model. A call that keeps the value of a read makes the next call shorter; the next point gets a
 * new model then, so that the points are those of the whole call.
 */
export async function runFaults(
  make: Make,
  { most = Number.POSITIVE_INFINITY, shard: [part, parts] = [0, 1], failures: limit = 5 }: Points,
): Promise<FaultRun> {
  const first = await countSteps(make);
  const failures: string[] = [];
  const chosen = spread(first, most).filter((_, i) => i % parts === part);
  const done = new Set<number>();
  let passedOver = 0;
  let taken: Taken | undefined;
  const drop = (): void => {
    const leak = taken && leakOf(taken);
    taken = undefined;
    if (leak) failures.push(leak);
  };
  for (const point of chosen) {
    if (done.has(point)) continue;
    taken ??= await take(make);
    const { one, before, buffers } = taken;
    const { error, at, stack } = await injectFault(point, one.act);
    // Without a pause, JavaScript keeps the targets of all weak references that were read, and the run slows down.
    await setImmediate();
    if (at !== point) passedOver++;
    if (at !== null) done.add(at);
    if (at === null) {
      if (error !== null) failures.push(`without a fault: ${String((error as Error).stack)}`);
      drop();
    } else {
      const found = differences(before, photograph(one.model, ...(one.also ?? [])));
      if (error === null) found.unshift('the call did not fail');
      else if (!String(error).includes('injected'))
        found.unshift(`the call failed otherwise: ${String(error)}`);
      if (found.length > 0) failures.push([`step ${at} of ${first}`, ...found, stack].join('\n  '));
      if (found.length > 0) {
        dispose(one);
        taken = undefined;
      } else if (tf.memory().numDataBuffers !== buffers) drop();
    }
    if (failures.length >= limit) break;
  }
  if (taken !== undefined) {
    const { error } = await injectFault(-1, taken.one.act);
    if (error !== null) failures.push(`the call without a fault fails: ${String((error as Error).stack)}`);
    drop();
  }
  // A fault that was passed on to a point of another part is counted there.
  const injected = chosen.filter((point) => done.has(point)).length;
  return { steps: first, injected, passedOver, failures };
}

/** Returns numbers from 0 on below the number of steps, at most so many and the last. */
function spread(steps: number, most: number): number[] {
  const stride = Math.max(1, steps / most);
  const points = new Set<number>();
  for (let at = 0; at < steps; at += stride) points.add(Math.floor(at));
  return [...points.add(steps - 1)];
}

async function take(make: Make): Promise<Taken> {
  const memory = memoryNow();
  nn.manualSeed(3);
  const one = await make();
  const before = photograph(one.model, ...(one.also ?? []));
  return { one, before, buffers: tf.memory().numDataBuffers, memory };
}

/** Disposes a case, and returns text if it leaves something. */
function leakOf({ one, memory }: Taken): string | undefined {
  dispose(one);
  const after = memoryNow();
  return after === memory ? undefined : `leaks: ${memory} before, ${after} after`;
}

function memoryNow(): string {
  const { numTensors, numDataBuffers, numBytes } = tf.memory();
  return `${numTensors} tensors, ${numDataBuffers} buffers, ${numBytes} bytes`;
}

async function countSteps(make: Make): Promise<number> {
  nn.manualSeed(3);
  const twin = await make();
  const { steps, error } = await injectFault(-1, twin.act);
  if (error !== null) throw error;
  dispose(twin);
  return steps;
}

function dispose({ model, dispose }: Case): void {
  if (model instanceof nn.Module) model.dispose();
  else disposeLayers(model as tf.Sequential);
  dispose?.();
}
