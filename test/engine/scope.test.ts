import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  activeScope,
  alias,
  isOpen,
  isOwnedBy,
  isPlainObject,
  moveToScope,
  release,
  type Scope,
  scoped,
  tapeScope,
  tensorsIn,
  watchTapes,
} from '../../src/engine/scope.ts';
import { recordInputs } from '../../src/engine/tape.ts';

describe('activeScope and isOpen', () => {
  it('know the innermost tidy, and which are still open', () => {
    expect(activeScope() ?? null).toBe(null);
    let [outer, inner]: (Scope | null)[] = [null, null];
    tf.tidy('outer', () => {
      outer = activeScope();
      expect(outer!.name).toBe('outer');
      tf.tidy(() => {
        inner = activeScope();
        expect([isOpen(outer!), isOpen(inner!)]).toEqual([true, true]);
      });
      expect([activeScope(), isOpen(inner!)]).toEqual([outer, false]);
    });
    expect([activeScope() ?? null, isOpen(outer!)]).toEqual([null, false]);
  });
});

describe('tapeScope', () => {
  it('is the outermost scope of the recording, also from nested gradients and tidies in it', () => {
    const x = tf.ones([2]);
    let ofTape: Scope | null = null;
    tf.tidy(() => {
      tf.grad((y) => {
        ofTape = activeScope();
        expect(tapeScope()).toBe(ofTape);
        tf.tidy(() => {
          expect(tapeScope()).toBe(ofTape);
        });
        return tf.sum(
          tf.grad((z) => {
            expect(tapeScope()).toBe(ofTape);
            return tf.sum(tf.square(z));
          })(y),
        );
      })(x);
      expect(isOpen(ofTape!)).toBe(false);
    });
    x.dispose();
  });

  it('is told from tidies of the same name, outside of it and in it', () => {
    const x = tf.ones([2]);
    const grad = (inTape: (ofTape: Scope) => void) =>
      tf.tidy(() => {
        tf.grad((y) => {
          inTape(activeScope()!);
          return tf.sum(tf.square(y));
        })(x);
      });
    watchTapes();
    tf.tidy('forward', () => {
      grad((ofTape) => {
        expect(tapeScope()).toBe(ofTape);
        tf.tidy('forward', () => {
          expect(tapeScope()).toBe(ofTape);
          grad(() => {
            expect(tapeScope(), 'of the outermost gradient').toBe(ofTape);
          });
        });
      });
    });
    x.dispose();
  });

  it('is told from tidies of the same name around it also if the tape began unwatched', () => {
    const engine = tf.engine() as unknown as { startTape?: unknown };
    watchTapes();
    const { startTape } = engine;
    delete engine.startTape;
    const x = tf.ones([2]);
    tf.tidy('forward', () => {
      tf.grad((y) => {
        const ofTape = activeScope();
        tf.tidy(() => {
          expect(tapeScope()).toBe(ofTape);
        });
        return tf.sum(tf.square(y));
      })(x);
    });
    x.dispose();
    engine.startTape = startTape;
    watchTapes();
    expect(engine.startTape).toBe(startTape);
  });

  it('is nothing outside of all', () => {
    expect(tapeScope()).toBe(null);
  });
});

describe('moveToScope', () => {
  it('keeps a tensor alive until the end of the outer scope', () => {
    let moved: tf.Tensor | undefined;
    tf.tidy(() => {
      const outer = activeScope()!;
      tf.tidy(() => {
        moved = tf.ones([2]);
        moveToScope(moved, outer);
        expect(isOwnedBy(moved, outer)).toBe(true);
      });
      expect(moved!.isDisposed).toBe(false);
      expect(moved!).toBeAllClose([1, 1]);
    });
    expect(moved!.isDisposed).toBe(true);
  });

  it('leaves alone what the innermost scope does not track, and works outside of all', () => {
    const free = tf.ones([2]);
    tf.tidy(() => {
      const outer = activeScope()!;
      const tracked = tf.ones([2]);
      tf.tidy(() => {
        moveToScope(free, outer);
        moveToScope(tracked, outer);
      });
      expect(isOwnedBy(tracked, outer)).toBe(true);
      expect(outer.track.filter((tensor) => tensor === tracked)).toHaveLength(1);
    });
    expect(free.isDisposed).toBe(false);
    free.dispose();
  });
});

describe('isOwnedBy', () => {
  it('is false for variables, kept tensors and tensors of other scopes', () => {
    const variable = tf.tidy(() => tf.variable(tf.ones([1])));
    tf.tidy(() => {
      const outer = tf.ones([1]);
      tf.tidy(() => {
        const scope = activeScope()!;
        const kept = tf.keep(tf.ones([1]));
        expect([tf.ones([1]), outer, kept, variable].map((tensor) => isOwnedBy(tensor, scope))).toEqual([
          true,
          false,
          false,
          false,
        ]);
        kept.dispose();
      });
    });
    variable.dispose();
  });
});

describe('release', () => {
  it('gives a kept tensor to the innermost scope, or to the caller', () => {
    const kept = tf.keep(tf.ones([1]));
    const other = tf.keep(tf.ones([1]));
    tf.tidy(() => release(kept));
    expect(kept.isDisposed).toBe(true);
    release(other);
    tf.tidy(() => {});
    expect(other.isDisposed).toBe(false);
    tf.tidy(() => other);
    other.dispose();
  });

  it('lets a tidy hand it on like its own', () => {
    const kept = tf.keep(tf.ones([1]));
    const returned = tf.tidy(() => {
      release(kept);
      return kept;
    });
    expect(returned.isDisposed).toBe(false);
    returned.dispose();
  });
});

describe('alias', () => {
  it('shares the data; either may be disposed first', () => {
    const first = tf.tensor1d([1, 2]);
    const second = alias(first);
    expect(second).not.toBe(first);
    expect(second.dataId).toBe(first.dataId);
    first.dispose();
    expect(second).toBeAllClose([1, 2]);
    second.dispose();
    const source = tf.ones([2]);
    alias(source).dispose();
    expect(source).toBeAllClose([1, 1]);
    source.dispose();
  });

  it('keeps the value when a variable is assigned', () => {
    const variable = tf.tidy(() => tf.variable(tf.ones([2])));
    const before = alias(variable as tf.Tensor);
    expect(before).not.toBeInstanceOf(tf.Variable);
    tf.tidy(() => variable.assign(tf.zeros([2])));
    expect(before).toBeAllClose([1, 1]);
    tf.dispose([variable, before]);
  });

  it('is not recorded on a tape', () => {
    const x = tf.ones([2]);
    const gradient = tf.grad((y) => tf.sum(tf.mul(y, alias(y))))(x);
    // Recorded, it would be 2x.
    expect(gradient).toBeAllClose([1, 1]);
    tf.dispose([x, gradient]);
  });

  it.runIf(process.env['TFJS_BACKEND'] === 'cpu')(
    'is no operation on a tape, nor is the copy that takes its place for complex numbers',
    () => {
      const z = tf.complex([1, 2], [3, 4]);
      const inputs = recordInputs(() => void alias(z))!;
      expect(inputs.has(z)).toBe(false);
      z.dispose();
    },
  );

  it('belongs to the innermost tidy', () => {
    const x = tf.ones([2]);
    const { numTensors } = tf.memory();
    tf.tidy(() => void alias(x));
    expect(tf.memory().numTensors).toBe(numTensors);
    x.dispose();
  });

  it('works on every dtype', () => {
    for (const dtype of ['float32', 'int32', 'bool'] as const) {
      const x = tf.zeros([2], dtype);
      const y = alias(x);
      expect(y.dtype).toBe(dtype);
      tf.dispose([x, y]);
    }
  });
});

describe('tensorsIn', () => {
  it('finds tensors in arrays and plain objects, each once, and looks into nothing else', () => {
    const [a, b, hidden] = [tf.ones([1]), tf.ones([1]), tf.ones([1])];
    class Box {
      tensor = hidden;
    }
    const cycle: unknown[] = [a];
    cycle.push(cycle);
    expect(tensorsIn(a)).toEqual([a]);
    expect(tensorsIn([a, { b, list: [a] }, null, 3, 'x'])).toEqual([a, b]);
    expect(tensorsIn(cycle)).toEqual([a]);
    expect(tensorsIn({ box: new Box(), map: new Map([[1, hidden]]), fn: () => hidden })).toEqual([]);
    expect(tensorsIn(Object.assign(Object.create(null), { a }))).toEqual([a]);
    expect(tensorsIn(undefined)).toEqual([]);
    tf.dispose([a, b, hidden]);
  });

  it('does not walk typed arrays', () => {
    const walked: PropertyKey[] = [];
    const data = new Proxy(new Float32Array(8), {
      ownKeys: (array) => Reflect.ownKeys(array),
      get: (array, key) => {
        walked.push(key);
        return Reflect.get(array, key, array);
      },
    });
    expect(tensorsIn({ data })).toEqual([]);
    expect(walked).not.toContain('0');
  });
});

describe('isPlainObject', () => {
  it('is true for literals and null-prototype objects only', () => {
    expect([{}, Object.create(null)].map(isPlainObject)).toEqual([true, true]);
    const others = [null, 3, [], new Date(), new Map(), () => 1, new (class A {})()];
    expect(others.map(isPlainObject)).toEqual(others.map(() => false));
  });
});

describe('scoped', () => {
  it('disposes what was made in it but for the tensors of the result', () => {
    const result = scoped('test', () => {
      tf.ones([1]);
      return { y: [tf.ones([1])], keep: new Float32Array(3) };
    });
    expect(result.y[0]!.isDisposed).toBe(false);
    expect(result.keep).toHaveLength(3);
    tf.dispose(result.y);
  });

  it('names the scope, and hands it to the function', () => {
    scoped('mine', (scope) => {
      expect(scope).toBe(activeScope());
      expect(scope.name).toBe('mine');
    });
  });

  it('ends and frees everything when the function throws', () => {
    const { numTensors } = tf.memory();
    expect(() =>
      scoped('test', () => {
        tf.ones([1]);
        throw new RangeError('mine');
      }),
    ).toThrow('mine');
    expect(tf.memory().numTensors).toBe(numTensors);
    expect(activeScope() ?? null).toBe(null);
  });
});
