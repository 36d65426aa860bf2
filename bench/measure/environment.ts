import { cpus } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';

/** What the numbers hold for. */
export interface Environment {
  readonly node: string;
  readonly tfjs: string;
  readonly torch: string | null;
  readonly processor: string;
  readonly cores: number;
  readonly date: string;
}

/** The versions and the machine. */
export function environment(torch: string | null): Environment {
  const processors = cpus();
  return {
    node: process.versions.node,
    tfjs: tf.version_core,
    torch,
    processor: processors[0]!.model.trim(),
    cores: processors.length,
    date: new Date().toISOString().slice(0, 10),
  };
}

/** The environment in one line. */
export const sentence = ({ node, tfjs, torch, processor, cores, date }: Environment): string =>
  `Node.js ${node}, tfjs ${tfjs}, ${torch === null ? 'no PyTorch' : `PyTorch ${torch}`}, ${processor}, ${cores} cores, ${date}`;
