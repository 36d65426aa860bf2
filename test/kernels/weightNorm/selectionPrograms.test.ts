import { describe, expect, it } from 'vitest';
import { outputOf } from '../../outputOf.ts';

// Nothing of tfjs is chosen or registered in a process of its own.

describe('in a process of its own, weight norm', () => {
  const program = (before: string) => `
    import '@tensorflow/tfjs';
    import * as tf from '@tensorflow/tfjs-core';
    import { nn, weightNorm } from 'tfjs-parametrize';
    ${before}
    const layer = weightNorm(new nn.Linear(2, 1, { bias: false }));
    layer.weight = tf.tensor2d([[3, 4]]);
    const { kernels } = await tf.profile(() => layer.call(tf.ones([1, 2])));
    console.log(kernels.some(({ name }) => name === 'tfjs-parametrize/WeightNorm'));
    console.log((await layer.weight.data()).join());
  `;
  const cpu = `await tf.setBackend('cpu');`;

  it('is fused on cpu', async () => {
    expect((await outputOf(program(cpu))).trim().split('\n')).toEqual(['true', '3,4']);
  });

  it('is fused in plain JavaScript where WebAssembly may not compile', async () => {
    const noModules = `Object.assign(WebAssembly, { Module: () => { throw new Error('unsafe-eval'); } });`;
    expect((await outputOf(program(cpu + noModules))).trim().split('\n')).toEqual(['true', '3,4']);
  });

  it('says once on the debug console why it is composed of tfjs operations', async () => {
    const other = `${cpu}
      const backend = tf.backend() as tf.KernelBackend & { makeTensorInfo(...args: unknown[]): tf.TensorInfo };
      const { makeTensorInfo } = backend;
      backend.makeTensorInfo = (shape, dtype, values) =>
        makeTensorInfo.call(backend, shape, dtype, (values as Float32Array | undefined)?.slice());
      console.debug = (message) => console.log('debug:', message);`;
    const lines = (await outputOf(program(other))).trim().split('\n');
    expect(lines.filter((line) => line.startsWith('debug: tfjs-parametrize: weight normalization'))).toEqual([
      'debug: tfjs-parametrize: weight normalization on cpu is composed of tfjs operations: ' +
        'the backend has its numbers somewhere else',
    ]);
  });
});
