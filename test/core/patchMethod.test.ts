import { describe, expect, it } from 'vitest';
import { patchMethod } from '../../src/core/patchMethod.ts';

class Counter {
  count = 0;

  add(by: number): number {
    this.count += by;
    return this.count;
  }
}

const twice = (add: Counter['add']): Counter['add'] =>
  function (this: Counter, by) {
    return add.call(this, 2 * by);
  };

describe('patchMethod', () => {
  it('replaces an inherited method and leaves nothing behind when it restores it', () => {
    const counter = new Counter();
    const restore = patchMethod(counter, 'add', twice);
    expect(counter.add(3)).toBe(6);
    expect(Object.keys(counter)).toEqual(['count']);
    restore();
    expect(counter.add(1)).toBe(7);
    expect(Object.hasOwn(counter, 'add')).toBe(false);
  });

  it('restores the property that an object had itself', () => {
    const counter = new Counter();
    const own = (): number => -1;
    Object.defineProperty(counter, 'add', {
      value: own,
      enumerable: true,
      configurable: true,
      writable: false,
    });
    const before = Object.getOwnPropertyDescriptor(counter, 'add');
    const restore = patchMethod(counter, 'add', () => () => 0);
    expect(counter.add(1)).toBe(0);
    restore();
    expect(Object.getOwnPropertyDescriptor(counter, 'add')).toEqual(before);
  });
});
