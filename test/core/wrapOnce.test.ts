import { expect, it } from 'vitest';
import { wrapOnce } from '../../src/core/wrapOnce.ts';

const MARK = Symbol.for('tfjs-parametrize.test.wrapOnce');

class Adder {
  add(x: number): number {
    return x + 1;
  }
}

it('wraps a method once, in however many copies of the package', () => {
  const twice = (add: Adder['add']): Adder['add'] =>
    function (this: Adder, x) {
      return 2 * add.call(this, x);
    };
  expect(wrapOnce(Adder.prototype, 'add', MARK, twice)).toBe(true);
  expect(wrapOnce(Adder.prototype, 'add', MARK, twice)).toBe(true);
  expect(new Adder().add(1)).toBe(4);
});

it('leaves alone what has no such method', () => {
  const inherits = Object.create(Adder.prototype) as Adder;
  const fail = (): never => {
    throw new Error('not to be called');
  };
  expect(wrapOnce(inherits, 'add', MARK, fail)).toBe(false);
  expect(Object.keys(inherits)).toEqual([]);
});
