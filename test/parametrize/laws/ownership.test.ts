import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cached,
  fold,
  registerParametrization,
  removeParametrizations,
  weightNorm,
} from '../../../src/index.ts';
import { flatten } from '../../toBeAllClose.ts';
import { Counting, Masked, Net, specimens, write } from './specimens.ts';

const numTensors = () => tf.memory().numTensors;
const counts = () => ({ numTensors: numTensors(), ofBackend: tf.backend().numDataIds() });
const pause = () => new Promise((resolve) => setTimeout(resolve, 1));

function weightNormed(): Net {
  return weightNorm(new Net());
}

function masked(): { net: Net; map: Masked } {
  const net = new Net();
  const map = new Masked();
  registerParametrization(net, 'weight', map);
  return { net, map };
}

describe('L4: a value read in a tidy', () => {
  it.each([
    ['pure', false],
    ['pure, cached', true],
  ])('stays valid until the tidy ends, whatever changes meanwhile: %s', (_, inScope) => {
    const net = weightNormed();
    net.weight;
    const program = () =>
      tf.tidy(() => {
        const first = net.weight;
        const numbers = flatten(first);
        write(net.parametrizations!['weight']!.g!, () => tf.ones([3, 1]));
        const second = net.weight;
        tf.tidy(() => void net.weight);
        fold(net);
        expect(first).toBeAllClose(numbers);
        expect(tf.sum(tf.sub(first, second)).isDisposed).toBe(false);
      });
    if (inScope) cached(program);
    else program();
    net.dispose();
  });

  it('leaves the tidy like any op’s result, and is then the caller’s', () => {
    const net = weightNormed();
    net.weight;
    const before = numTensors();
    const value = tf.tidy(() => tf.tidy(() => net.weight));
    const numbers = flatten(value);
    write(net.parametrizations!['weight']!.g!, () => tf.ones([3, 1]));
    net.weight;
    expect(flatten(value)).toEqual(numbers);
    expect(numTensors()).toBe(before + 1);
    value.dispose();
    net.dispose();
  });

  it('is one object for the reads of a scope', () => {
    const net = weightNormed();
    cached(() =>
      tf.tidy(() => {
        expect(net.weight).toBe(net.weight);
      }),
    );
    net.weight;
    tf.tidy(() => {
      expect(net.weight).toBe(net.weight);
    });
    net.dispose();
  });

  it('is computed once for all tidies while nothing changes, and leaves data but no tensor', () => {
    const net = weightNormed();
    const list = net.parametrizations!['weight']!;
    const { g } = list;
    const before = counts();
    const inTidy = (): number[] => tf.tidy(() => flatten(net.weight));
    const expected = inTidy();
    const evaluations = list.evaluations;
    for (let i = 0; i < 5; i++) expect(inTidy()).toEqual(expected);
    expect(list.evaluations).toBe(evaluations);
    expect(counts()).toEqual({ ...before, ofBackend: before.ofBackend + 1 });

    write(g!, () => tf.fill([3, 1], 2));
    expect(inTidy()).not.toEqual(expected);
    expect(list.evaluations).toBe(evaluations + 1);
    expect(counts()).toEqual({ ...before, ofBackend: before.ofBackend + 1 });
    net.dispose();
  });

  it('is no data any more after a training step, and not after removal, fold or dispose', () => {
    const before = counts().ofBackend;
    const ends: ((net: Net) => void)[] = [
      (net) => removeParametrizations(net, 'weight'),
      (net) => fold(net),
      (net) => net.dispose(),
    ];
    for (const end of ends) {
      const net = weightNormed();
      const { g } = net.parametrizations!['weight']!;
      const unread = counts().ofBackend;
      tf.tidy(() => void net.weight);
      expect(counts().ofBackend).toBe(unread + 1);
      write(g!, () => tf.fill([3, 1], 2));
      tf.tidy(() => void tf.variableGrads(() => tf.sum(net.weight) as tf.Scalar));
      expect(counts().ofBackend).toBe(unread);
      tf.tidy(() => void net.weight);
      end(net);
      net.dispose();
      expect(counts().ofBackend).toBe(before);
    }
  });

  it('becomes the borrowed value when it is read outside of every tidy', () => {
    const net = weightNormed();
    const list = net.parametrizations!['weight']!;
    tf.tidy(() => void net.weight);
    const [before, evaluations] = [counts(), list.evaluations];
    const value = net.weight;
    tf.tidy(() => void net.weight);
    expect(net.weight).toBe(value);
    expect(list.evaluations).toBe(evaluations);
    expect(counts()).toEqual({ ...before, numTensors: before.numTensors + 1 });
    net.dispose();
  });

  it('survives in a scope that is opened by hand across an await', async () => {
    const net = weightNormed();
    await cached(async () => {
      tf.engine().startScope('by hand');
      const value = net.weight;
      await pause();
      write(net.parametrizations!['weight']!.g!, () => tf.ones([3, 1]));
      tf.tidy(() => void net.weight);
      expect(value.isDisposed).toBe(false);
      tf.engine().endScope();
    });
    net.dispose();
  });
});

describe('L4: a borrowed value of a pure chain', () => {
  it('is one tensor more, once, over any number of reads', () => {
    const net = weightNormed();
    const before = numTensors();
    for (let i = 0; i < 100; i++) net.weight;
    expect(numTensors()).toBe(before + 1);
    for (let i = 0; i < 20; i++) {
      write(net.parametrizations!['weight']!.g!, () => tf.fill([3, 1], i));
      net.weight;
      tf.tidy(() => void net.weight);
    }
    expect(numTensors()).toBe(before + 1);
    net.dispose();
  });

  it('outlives every cached, its own and another task’s, and reads on a tape', async () => {
    const net = weightNormed();
    const other = cached(async () => {
      for (let i = 0; i < 5; i++) {
        tf.tidy(() => void net.weight);
        await pause();
      }
    });
    const outside = net.weight;
    const inside = await cached(async () => {
      const value = net.weight;
      await pause();
      return { held: [value] };
    });
    tf.tidy(() => void tf.grad((x) => tf.sum(tf.mul(x, net.weight)))(net.weight));
    await other;
    expect(outside.isDisposed || inside.held[0]!.isDisposed).toBe(false);
    expect(net.weight).toBe(outside);
    net.dispose();
  });

  it('may be disposed by mistake without harm', () => {
    const net = weightNormed();
    const numbers = flatten(net.weight);
    net.weight.dispose();
    tf.dispose(net.weight);
    expect(flatten(net.weight)).toEqual(numbers);
    cached(() => tf.dispose(net.weight));
    expect(flatten(net.weight)).toEqual(numbers);
    net.dispose();
  });

  it.each([
    ['removal', (net: Net) => void removeParametrizations(net, 'weight')],
    ['fold', (net: Net) => void fold(net)],
    ['dispose', (net: Net) => net.dispose()],
  ])('is freed by %s', (_, end) => {
    const net = weightNormed();
    const value = net.weight;
    end(net);
    expect(value.isDisposed).toBe(true);
    net.dispose();
  });
});

describe('L4: a value of a chain that is not pure', () => {
  it('is the caller’s outside of everything', () => {
    const { net, map } = masked();
    const before = numTensors();
    const values = [net.weight, net.weight];
    expect(values[0]).not.toBe(values[1]);
    expect(numTensors()).toBe(before + 2);
    tf.dispose(values);
    net.dispose();
    map.dispose();
  });

  it('is borrowed in cached until it is read again after a change, or the last scope ends', async () => {
    const { net, map } = masked();
    const original = net.parametrizations!['weight']!.original!;
    const before = numTensors();
    let end = (): void => {};
    const other = cached(() => new Promise<void>((resolve) => (end = resolve)));
    const [first, second] = cached(() => {
      const borrowed = net.weight;
      const numbers = flatten(borrowed);
      write(original, () => tf.ones([3, 2]));
      expect(flatten(borrowed), 'a change alone does not end it').toEqual(numbers);
      tf.tidy(() => {
        tf.variableGrads(() => tf.sum(net.weight));
      });
      expect(flatten(borrowed), 'nor does a read on a tape').toEqual(numbers);
      return [() => borrowed, () => net.weight].map((read) => {
        const tensor = read();
        return () => tensor;
      }) as [() => tf.Tensor, () => tf.Tensor];
    });
    expect([first().isDisposed, second().isDisposed]).toEqual([true, false]);
    end();
    await other;
    expect(second().isDisposed).toBe(true);
    expect(numTensors()).toBe(before);
    net.dispose();
    map.dispose();
  });

  it('is one tensor, not one a step, in a loop in cached that also reads it outside of every tidy', async () => {
    for (const [name, maps] of Object.entries(specimens)) {
      const net = new Net();
      const made = maps.map((make) => make());
      for (const map of made) registerParametrization(net, 'weight', map);
      const optimizer = tf.train.sgd(0.01);
      const x = tf.ones([1, 2]);
      const step = (): void =>
        tf.tidy(
          () => void optimizer.minimize(() => tf.sum(net.call(x)) as tf.Scalar, false, net.parameters()),
        );
      const gradients = (): void =>
        tf.tidy(() => void tf.variableGrads(() => tf.sum(net.call(x)) as tf.Scalar));
      const loops: Record<string, () => void> = {
        'steps, then a read': () => [step(), net.weight],
        'gradients, then a read': () => [gradients(), net.weight],
        'reads in tidies between': () => [
          net.weight,
          tf.tidy(() => void net.weight),
          step(),
          gradients(),
          net.weight,
        ],
      };
      for (const [loop, round] of Object.entries(loops)) {
        await cached(async () => {
          round();
          const before = tf.memory();
          for (let i = 0; i < 3; i++) {
            round();
            await Promise.resolve();
            const { numTensors, numDataBuffers } = tf.memory();
            expect([numTensors, numDataBuffers], `${name}: ${loop}`).toEqual([
              before.numTensors,
              before.numDataBuffers,
            ]);
          }
        });
      }
      x.dispose();
      optimizer.dispose();
      net.dispose();
      for (const map of made) map.dispose();
    }
  });

  it('leaves the values of tasks that overlap alone until the tensor is read again', async () => {
    const { net, map } = masked();
    const original = net.parametrizations!['weight']!.original!;
    const task = (turns: number) =>
      cached(async () => {
        for (let i = 0; i < turns; i++) {
          const value = net.weight;
          const numbers = flatten(value);
          write(original, () => tf.fill([3, 2], i + turns));
          await Promise.resolve();
          if (!value.isDisposed) expect(flatten(value)).toEqual(numbers);
          expect(net.weight.isDisposed).toBe(false);
        }
      });
    await Promise.all([task(3), task(7), task(5)]);
    net.dispose();
    map.dispose();
  });

  it('is handed over as the result of the outermost cached, in arrays and plain objects too', async () => {
    const { net, map } = masked();
    const alone = cached(() => net.weight);
    const nested = await cached(async () => ({
      list: [cached(() => net.weight)],
      data: new Float32Array(1e6),
    }));
    for (const value of [alone, nested.list[0]!]) {
      expect(value.isDisposed).toBe(false);
      value.dispose();
    }
    tf.tidy(() => void cached(() => net.weight));
    net.dispose();
    map.dispose();
  });
});

describe('L4: nothing leaks', () => {
  it.each(['forward', 'backward', 'gradients', 'Relu', 'epoch'])(
    'over steps in a tidy that is named %s, outside of the gradient or in it',
    (scope) => {
      const net = new Net();
      weightNorm(net);
      const plain = new Net();
      const optimizer = tf.train.sgd(0.01);
      const x = tf.ones([1, 2]);
      const list = net.parametrizations!['weight']!;
      const gradientOf = (name: string | undefined): number[] =>
        tf.tidy(() => {
          const loss = (): tf.Scalar =>
            named(
              name,
              () =>
                tf.add(
                  tf.sum(net.call(x)),
                  named(name, () => tf.sum(tf.square(net.weight))),
                ) as tf.Scalar,
            );
          return Object.values(tf.variableGrads(loss, net.parameters() as tf.Variable[]).grads).flatMap(
            flatten,
          );
        });
      const named = <T extends tf.TensorContainer>(name: string | undefined, fn: () => T): T =>
        name === undefined ? fn() : tf.tidy(name, fn);
      const expected = gradientOf(undefined);
      const start = list.evaluations;
      expect(gradientOf(scope)).toEqual(expected);
      expect(list.evaluations, 'one tape, one evaluation').toBe(start + 1);
      tf.tidy(scope, () => {
        for (const model of [plain, net]) {
          const before = numTensors();
          for (let i = 0; i < 3; i++) {
            optimizer.minimize(() => tf.sum(model.call(x)) as tf.Scalar, false, model.parameters());
            expect(numTensors(), `${scope}: growth`).toBe(before);
          }
        }
      });
      x.dispose();
      optimizer.dispose();
      net.dispose();
      plain.dispose();
    },
  );

  it.each(Object.keys(specimens))('when something throws anywhere: %s', async (name) => {
    const net = new Net();
    const maps = specimens[name]!.map((make) => make());
    for (const map of maps) registerParametrization(net, 'weight', map);
    tf.tidy(() => void net.weight);
    const before = numTensors();
    const boom = () => {
      tf.tidy(() => void net.weight);
      throw new Error('boom');
    };
    expect(() => tf.tidy(boom)).toThrow('boom');
    expect(() => cached(boom)).toThrow('boom');
    await expect(
      cached(async () => {
        await pause();
        boom();
      }),
    ).rejects.toThrow('boom');
    expect(numTensors()).toBe(before);
    net.dispose();
    for (const map of maps) map.dispose();
  });

  it('over random nestings of scopes, tidies and gradients', () => {
    type Tree = { kind: 'cached' | 'tidy' | 'gradient' | 'read' | 'write'; inner: Tree[] };
    const tree: fc.Memo<Tree> = fc.memo((depth) =>
      fc.record({
        kind: fc.constantFrom('cached', 'tidy', 'gradient', 'read', 'write'),
        inner: depth > 1 ? fc.array(tree(depth - 1), { maxLength: 3 }) : fc.constant([]),
      }),
    );
    const net = new Net();
    const map = new Counting();
    const pure = weightNormed();
    registerParametrization(net, 'weight', map);
    pure.weight;
    const run = ({ kind, inner }: Tree, inTidy: boolean): void => {
      const all = (tidy: boolean) => {
        for (const child of inner) run(child, tidy);
      };
      if (kind === 'cached') cached(() => all(inTidy));
      else if (kind === 'tidy') tf.tidy(() => all(true));
      else if (kind === 'gradient') {
        tf.tidy(() => {
          tf.variableGrads(() => {
            all(true);
            return tf.sum(tf.mul(net.weight, pure.weight)) as tf.Scalar;
          });
        });
      } else if (kind === 'read') {
        pure.weight;
        tf.tidy(() => void net.weight);
        if (inTidy) net.weight;
      } else write(pure.parametrizations!['weight']!.g!, () => tf.ones([3, 1]));
    };
    fc.assert(
      fc.property(tree(4), (root) => {
        const before = numTensors();
        run(root, false);
        expect(numTensors()).toBe(before);
      }),
    );
    net.dispose();
    pure.dispose();
    map.dispose();
  });
});
