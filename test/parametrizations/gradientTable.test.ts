import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { expectGradients } from '../nn/gradientCheck.ts';
import { catalogCases, parametrizedLayer } from './catalogCases.ts';

/** The orders by map, as docs/gradients.md has them: rows such as "| `orthogonal`, `cayley` | 1, 2, 3 | … |". */
const table = new Map(
  readFileSync(new URL('../../docs/gradients.md', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map((cells) => [cells[1]!.replaceAll('`', ''), cells[2]!.split(', ').map(Number)] as const),
);

describe("docs/gradients.md's table", () => {
  it('has a row for every map of the catalog, and no other', () => {
    expect([...table.keys()].sort()).toEqual(Object.keys(catalogCases).sort());
  });

  it.each([...table])('says truly which orders of gradient there are of %s', (name, orders) => {
    const layer = parametrizedLayer(name);
    for (const order of [1, 2, 3]) {
      const compare = () => expectGradients(() => layer.weight, layer.parameters(), [order]);
      if (orders.includes(order)) compare();
      else expect(compare, `order ${order}`).toThrow();
    }
    layer.dispose();
  });
});
