import type * as tf from '@tensorflow/tfjs';
import { nn } from 'tfjs-parametrize';
import { injectFault } from './injectFault.ts';
import { differences, photograph } from './photograph.ts';
import { type Case, disposeLayers } from './verbs.ts';

/** The result of a run over the points of one call. */
export interface FaultRun {
  /** The number of steps of tfjs in the call. */
  readonly steps: number;
  /** The number of points at which a fault was injected. */
  readonly injected: number;
  /** Points at which something had changed, or the call did not fail. */
  readonly failures: readonly string[];
}

/** Injects a fault at points of a call, at most so many, and compares everything afterwards. */
export async function runFaults(make: () => Promise<Case> | Case, most: number): Promise<FaultRun> {
  nn.manualSeed(3);
  const one = await make();
  const roots = [one.model, ...(one.also ?? [])];
  const first = await countSteps(make);
  const failures: string[] = [];
  const stride = Math.max(1, first / most);
  const points = new Set<number>();
  for (let at = 0; at < first; at += stride) points.add(Math.floor(at));
  points.add(first - 1);
  let injected = 0;
  let before = photograph(...roots);
  for (const at of points) {
    const { error, stack } = await injectFault(at, one.act, one);
    // Reads that are cached now make later calls shorter.
    if (error === null && stack === '') break;
    injected++;
    const after = photograph(...roots);
    const found = differences(before, after);
    if (error === null) found.unshift('the call did not fail');
    else if (!String(error).includes('injected'))
      found.unshift(`the call failed otherwise: ${String(error)}`);
    if (found.length > 0) {
      failures.push([`step ${at} of ${first}`, ...found, stack].join('\n  '));
      before = after;
      if (error === null || failures.length > 4) break;
    }
  }
  const { error } = await injectFault(-1, one.act);
  if (error !== null) failures.push(`the call without a fault fails: ${String((error as Error).stack)}`);
  dispose(one);
  return { steps: first, injected, failures };
}

async function countSteps(make: () => Promise<Case> | Case): Promise<number> {
  nn.manualSeed(3);
  const twin = await make();
  const { steps, error } = await injectFault(-1, twin.act, twin);
  if (error !== null) throw error;
  dispose(twin);
  return steps;
}

function dispose({ model, dispose }: Case): void {
  if (model instanceof nn.Module) model.dispose();
  else disposeLayers(model as tf.Sequential);
  dispose?.();
}
