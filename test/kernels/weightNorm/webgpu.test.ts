import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type WebGPUProgram, webgpuPrograms } from '../../../src/engine/webgpuPrograms.ts';
import { weightNormOp } from '../../../src/kernels/index.ts';
import { webgpuWeightNorm } from '../../../src/kernels/weightNorm/webgpu.ts';
import { flatten } from '../../toBeAllClose.ts';

/** What is looked at of the backend. */
interface Backend extends tf.KernelBackend {
  device: { limits: object };
  runWebGPUProgram(program: { getUserCode(): string }, ...rest: unknown[]): tf.TensorInfo;
  recordAndSubmit(program: { dispatch: number[] }, ...rest: unknown[]): void;
}

const backend = () => tf.backend() as Backend;

afterEach(() => {
  vi.restoreAllMocks();
});

/** The size of each dispatch of what is done. */
function dispatchesOf(fn: () => tf.TensorContainer): number[][] {
  const record = vi.spyOn(backend(), 'recordAndSubmit');
  tf.dispose(fn());
  const sizes = record.mock.calls.map(([{ dispatch }]) => dispatch);
  record.mockRestore();
  return sizes;
}

const close = { relative: 1e-5, absolute: 1e-5 };

/** An object, but for some properties. */
const changed = <T extends object>(object: T, properties: object): T =>
  Object.assign(Object.create(object) as T, properties);

describe('weight norm on webgpu', () => {
  it.each([
    ['first', [256, 768], [1]],
    ['last', [768, 256], [0]],
    ['first, of filters', [64, 32, 3, 3], [1, 2, 3]],
    ['last, of filters', [3, 3, 32, 64], [0, 1, 2]],
    ['middle', [20, 30, 40], [0, 2]],
    ['first and last', [20, 30, 40], [1]],
    ['no', [50, 50], [0, 1]],
    ['every', [50, 50], []],
  ] as [string, number[], number[]][])(
    'is one dispatch forward and three with the gradients, with the %s axis kept',
    (_, shape, axes) => {
      const v = tf.ones(shape);
      const g = tf.ones(shape.map((size, axis) => (axes.includes(axis) ? 1 : size)));
      expect(dispatchesOf(() => weightNormOp(g, v, axes, 0))).toHaveLength(1);
      const gradients = tf.grads((...x) => weightNormOp(x[0]!, x[1]!, axes, 0));
      expect(dispatchesOf(() => gradients([g, v], v))).toHaveLength(3);
      tf.dispose([g, v]);
    },
  );

  it('is two dispatches forward and five with the gradients, where few slices are long', () => {
    const [g, v] = [tf.ones([1, 1]), tf.ones([600, 500])];
    expect(dispatchesOf(() => weightNormOp(g, v, [0, 1], 0))).toHaveLength(2);
    const gradients = tf.grads((...x) => weightNormOp(x[0]!, x[1]!, [0, 1], 0));
    expect(dispatchesOf(() => gradients([g, v], v))).toHaveLength(5);
    tf.dispose([g, v]);
  });

  it.each([
    ['all', [600, 500], [0, 1], 0, 0],
    ['all, of a number that is not a multiple of four,', [601, 501], [0, 1], 25, 25],
    ['four columns', [60_000, 4], [0], -25, 25],
    ['three columns', [60_000, 3], [0], 25, -30],
    ['slices in the middle', [3, 2, 60_000], [0, 2], -30, -25],
    ['columns of two matrices', [2, 9000, 12], [0, 1], 0, -10],
  ] as [string, number[], number[], number, number][])(
    'shares %s among workgroups, whatever the magnitude of their parts',
    async (_, shape, axes, ofMost, ofSome) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const normal = tf.tidy(() => tf.randomNormal(shape, 0, 1, 'float32', 1));
      const numbers = (await normal.data()).map((n, i) => n * 10 ** (i < size / 50 ? ofSome : ofMost));
      const cosines = numbers.map((_, i) => Math.cos(i));
      normal.dispose();
      const run = async () => {
        const gShape = shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
        const [g, v] = [tf.fill(gShape, 1.5), tf.tensor(numbers, shape)];
        const dW = tf.tensor(cosines, shape);
        const results = [
          weightNormOp(g, v, axes, 0),
          ...tf.grads((...x) => weightNormOp(x[0]!, x[1]!, axes, 0))([g, v], dW),
        ];
        const data = await Promise.all(results.map((x) => x.data()));
        tf.dispose([g, v, dW, ...results]);
        return data;
      };
      const data = await run();
      // There they are computed in float64.
      await tf.setBackend('cpu');
      const wanted = await run();
      await tf.setBackend('webgpu');
      data.forEach((actual, k) => {
        let [largest, worst] = [0, 0];
        for (let i = 0; i < actual.length; i++) {
          largest = Math.max(largest, Math.abs(wanted[k]![i]!));
          worst = Math.max(worst, Math.abs(actual[i]! - wanted[k]![i]!));
        }
        expect(worst, `output ${k}`).toBeLessThanOrEqual(1e-5 * largest);
      });
    },
  );

  it('takes more slices than one axis of a dispatch has workgroups', async () => {
    const v = tf.fill([530_000, 5], 3);
    const g = tf.fill([530_000, 1], 2);
    const [size] = dispatchesOf(() => weightNormOp(g, v, [1], 0));
    expect(size!.filter((n) => n > 1).length).toBeGreaterThan(1);
    const off = tf.tidy(() => tf.max(tf.abs(tf.sub(weightNormOp(g, v, [1], 0), 2 / Math.sqrt(5)))));
    expect((await off.data())[0]).toBeLessThan(1e-6);
    tf.dispose([v, g, off]);
  });

  it('takes numbers that were cast from integers and are stored as such', async () => {
    const whole = tf.tensor2d([3, 4, 0, 0, 0, 0, 6, 8], [2, 4], 'int32');
    const v = tf.cast(whole, 'float32');
    const g = tf.ones([2, 1]);
    const W = weightNormOp(g, v, [1], 0);
    expect(Array.from(await W.data())).toBeAllClose([0.6, 0.8, 0, 0, 0, 0, 0.6, 0.8], close);
    tf.dispose([whole, v, g, W]);
  });

  it.each([
    ['webgpu', 'cpu'],
    ['cpu', 'webgpu'],
  ])('goes back on the backend in use: forward on %s, back on %s', async (forth, back) => {
    await tf.setBackend(back);
    await tf.setBackend(forth);
    const [g, v] = [tf.tensor2d([[2]]), tf.tensor2d([[3, 4]])];
    const gradients = tf.grads((...x) => {
      const W = weightNormOp(x[0]!, x[1]!, [1], 0);
      void tf.setBackend(back);
      return W;
    })([g, v]);
    const [dg, dv] = await Promise.all(gradients.map((x) => x.data()));
    expect(Array.from(dg!)).toBeAllClose([1.4], close);
    expect(Array.from(dv!)).toBeAllClose([0.4 * (1 - 0.6 * 1.4), 0.4 * (1 - 0.8 * 1.4)], close);
    tf.dispose([g, v, ...gradients]);
    await tf.setBackend('webgpu');
  });

  it('never reads numbers back', () => {
    const [read, readSync] = [vi.spyOn(backend(), 'read'), vi.spyOn(backend(), 'readSync')];
    const [g, v] = [tf.ones([8, 1]), tf.ones([8, 16])];
    tf.dispose(tf.grads((...x) => weightNormOp(x[0]!, x[1]!, [1], 0))([g, v]));
    expect([read.mock.calls.length, readSync.mock.calls.length]).toEqual([0, 0]);
    tf.dispose([g, v]);
  });

  it('makes one shader for all shapes that are alike', () => {
    const cache = (backend() as unknown as { pipelineCache: object }).pipelineCache;
    const run = (shape: [number, number]) => {
      const [g, v] = [tf.ones([shape[0], 1]), tf.ones(shape)];
      tf.dispose(tf.grads((...x) => weightNormOp(x[0]!, x[1]!, [1], 0))([g, v], v));
      tf.dispose([g, v]);
    };
    run([5, 400]);
    const before = Object.keys(cache).length;
    run([6, 500]);
    expect(Object.keys(cache)).toHaveLength(before);
  });
});

describe('the kernels of weight norm for webgpu', () => {
  const changes: [string, (real: Backend) => object, RegExp][] = [
    ['no runWebGPUProgram', () => ({ runWebGPUProgram: undefined }), /has no runWebGPUProgram/],
    [
      'one that throws',
      () => ({
        runWebGPUProgram: () => {
          throw new Error('no');
        },
      }),
      /as is relied on/,
    ],
    ['one that does nothing', () => ({ runWebGPUProgram: () => undefined }), /makes shaders without/],
    ['no limits', () => ({ device: {} }), /as is relied on/],
    [
      'other shaders',
      ({ runWebGPUProgram }) => ({
        runWebGPUProgram(this: unknown, program: object, ...rest: unknown[]) {
          return runWebGPUProgram.call(this, changed(program, { getUserCode: () => '' }) as never, ...rest);
        },
      }),
      /makes shaders without .*TRIAL/,
    ],
    [
      'other uniforms',
      ({ runWebGPUProgram }) => ({
        runWebGPUProgram(this: unknown, program: object, ...rest: unknown[]) {
          return runWebGPUProgram.call(this, program as never, ...rest.slice(0, 2), []);
        },
      }),
      /all of a program/,
    ],
  ];

  it.each(changes)('are not made for a backend with %s', (_, properties, reason) => {
    expect(() => webgpuWeightNorm(changed(backend(), properties(backend())))).toThrow(reason);
  });

  it('leave nothing on the GPU when they are made', () => {
    const before = backend().numDataIds();
    const dispatches = dispatchesOf(() => {
      webgpuWeightNorm(backend());
      return [];
    });
    expect(dispatches).toEqual([]);
    expect(backend().numDataIds()).toBe(before);
  });

  it('are replaced by operations of tfjs, with one message, on a backend that they cannot use', async () => {
    const debug = vi.spyOn(console, 'debug').mockImplementation(() => {});
    const real = backend();
    // Another backend, by the same name: the kernels of tfjs serve it too.
    const other = new Proxy(real, {
      get(target, key) {
        const value = Reflect.get(target, key) as unknown;
        if (key !== 'runWebGPUProgram') return value;
        return function (this: unknown, ...args: unknown[]): unknown {
          if (this !== other) throw new Error('only on the GPU');
          return (value as (...args: unknown[]) => unknown).apply(this, args);
        };
      },
    });
    tf.engine().registry['webgpu'] = other;
    await tf.setBackend('webgpu');
    try {
      const [g, v] = [tf.tensor2d([[10]]), tf.tensor2d([[3, 4]])];
      const { kernels, result } = await tf.profile(() => weightNormOp(g, v, [1], 0));
      expect(kernels.map(({ name }) => name)).not.toContain('tfjs-parametrize/WeightNorm');
      expect(Array.from(await (result as tf.Tensor).data())).toBeAllClose([6, 8]);
      tf.dispose([weightNormOp(g, v, [1], 0), g, v, result as tf.Tensor]);
    } finally {
      tf.engine().registry['webgpu'] = real;
      await tf.setBackend('webgpu');
    }
    expect(debug.mock.calls).toEqual([
      [
        'tfjs-parametrize: weight normalization on webgpu is composed of tfjs operations: ' +
          'the backend does not run programs as is relied on: Error: only on the GPU',
      ],
    ]);
  });
});

describe('a program on webgpu', () => {
  it('computes what its code says, of the numbers and integers that it is given', async () => {
    const program: WebGPUProgram = {
      key: 'test',
      code: `fn main(index : i32) {
        if (index < uniforms.count) { result[index] = vec4<f32>(x[index]) * y[0] + uniforms.plus; }
      }`,
      workgroupSize: 64,
      inputs: [
        ['x', 4],
        ['y', 1],
      ],
      output: 4,
      integers: ['count'],
      numbers: ['plus'],
    };
    const [x, y] = [tf.range(0, 8), tf.scalar(10)];
    const output = webgpuPrograms(backend()).run(program, {
      inputs: [x, y],
      integers: [2],
      numbers: [0.5],
      workgroups: 1,
      shape: [2, 4],
    });
    const result = tf.engine().makeTensorFromTensorInfo(output);
    expect(result.shape).toEqual([2, 4]);
    expect(Array.from(await result.data())).toEqual([0.5, 10.5, 20.5, 30.5, 40.5, 50.5, 60.5, 70.5]);
    expect(flatten(y)).toEqual([10]);
    tf.dispose([x, y, result]);
  });
});
