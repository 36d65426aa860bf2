import * as tf from '@tensorflow/tfjs-core';
import { type Program, programOf } from './instructions.ts';
import { World } from './world.ts';

/** Runs a program; returns where and how it differs from the reference, or null. */
function failureOf(program: Program): string | null {
  const before = tf.memory().numTensors;
  const world = new World(program);
  let failure: string | null = null;
  try {
    for (const [i, instruction] of program.instructions.entries()) {
      try {
        world.execute(instruction);
      } catch (error) {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        failure = `instruction ${i}: ${text.split('\n').slice(0, 6).join('\n')}`;
        break;
      }
    }
  } finally {
    try {
      world.end();
    } catch (error) {
      failure ??= `the end: ${String(error)}`;
    }
  }
  const left = tf.memory().numTensors - before;
  return failure ?? (left === 0 ? null : `${left} tensors are left`);
}

/** Leaves out whatever instruction is not needed for a program to fail. */
function shrunk(program: Program): Program {
  let smallest = program;
  for (let i = smallest.instructions.length - 1; i >= 0; i--) {
    const shorter = { ...smallest, instructions: smallest.instructions.filter((_, at) => at !== i) };
    if (failureOf(shorter) !== null) smallest = shorter;
  }
  return smallest;
}

/** Runs the program of a seed. Returns null, or the shortest program found that fails, with its failure, as text. */
export function runProgram(seed: number, withEdits = true): string | null {
  const program = programOf(seed, withEdits);
  if (failureOf(program) === null) return null;
  const smallest = shrunk(program);
  const lines = smallest.instructions.map((instruction, i) => `  ${i}: ${JSON.stringify(instruction)}`);
  const how = `${smallest.optimizer}, sharing ${smallest.sharing}, ${smallest.withList ? 'with' : 'without'} a list of variables`;
  return `seed ${seed}, ${how}:\n${lines.join('\n')}\n${failureOf(smallest) ?? 'fails no more'}`;
}
