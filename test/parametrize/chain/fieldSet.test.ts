import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { nn } from '../../../src/index.ts';
import { type FieldSet, fieldSet, holdsSame } from '../../../src/parametrize/chain/fieldSet.ts';

class Open extends nn.Module {
  size = 1;
  next: nn.Module | null = null;
  forward(): void {}
}

const listOf = new Open();
const taken = (...modules: nn.Module[]): FieldSet => fieldSet(modules, listOf)!;

describe('fieldSet', () => {
  it('sees a field that comes, also where another one goes', () => {
    const module = new Open();
    const before = taken(module);
    expect(holdsSame(before)).toBe(true);
    Reflect.deleteProperty(module, 'next');
    Object.assign(module, { other: null });
    expect(holdsSame(before)).toBe(false);
  });

  it('takes note of another number, and sees a parameter in its place', () => {
    const module = new Open();
    const before = taken(module);
    module.size = 2;
    expect(holdsSame(before)).toBe(true);
    expect(before.walked[0]!.values).toContain(2);
    const gain = nn.parameter(tf.scalar(1));
    Object.assign(module, { size: gain });
    expect(holdsSame(before)).toBe(false);
    gain.dispose();
  });

  it('runs no getter of a module', () => {
    let runs = 0;
    const module = new Open();
    Object.defineProperty(module, 'costly', { get: () => runs++, enumerable: true });
    const before = taken(module);
    expect(holdsSame(before)).toBe(true);
    expect(runs).toBe(0);
    module.next = new Open();
    expect(holdsSame(before)).toBe(false);
  });

  it('finds what fills a gap of a list, and what is put behind its end', () => {
    const list = new nn.ModuleList([new Open(), new Open(), new Open(), new Open()]);
    Reflect.deleteProperty(list, 1);
    for (const index of [1, 4]) {
      const before = taken(list);
      expect(holdsSame(before)).toBe(true);
      list[index] = new Open();
      expect(holdsSame(before)).toBe(false);
      Reflect.deleteProperty(list, index);
    }
  });

  it('counts the fields of a list with few modules and far indices', () => {
    const list = new nn.ModuleList([new Open()]);
    list[1000] = new Open();
    const before = taken(list);
    expect(before.counted).toHaveLength(1);
    list[2000] = new Open();
    expect(holdsSame(before)).toBe(false);
  });

  it('counts the fields of a class that extends a list, which may have others', () => {
    class Named extends nn.ModuleList {
      declare extra?: nn.Module;
    }
    const list = new Named([new Open()]);
    const before = taken(list);
    list.extra = new Open();
    expect(holdsSame(before)).toBe(false);
  });
});
