import { describe, expect, it } from 'vitest';
import { textTable } from '../../../examples/mnist/textTable.ts';

describe('textTable', () => {
  it.each(['3.1 ms', '133.7 ms', '98,765.4 ms', '10 / 1,234,567'])(
    'shows a cell of %s on one line',
    (cell) => {
      const table = { title: 'Times', columns: ['run', 'time per step'], rows: [['weight norm', cell]] };
      const lines = textTable(table).split('\n');
      expect(lines[0]).toBe('Times');
      expect(lines.map((line) => line.split('│').map((part) => part.trim()))).toContainEqual([
        '',
        'weight norm',
        cell,
        '',
      ]);
    },
  );
});
