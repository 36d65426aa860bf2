import { describe, expect, it } from 'vitest';
import { read } from '../markdown.ts';
import { bypassedModes, earlyMode, legacyModes, standardModes } from './modes.ts';

describe('docs/decorators.md', () => {
  it('lists the compilers and settings that the tests run, and no others', () => {
    const [, table] = read('docs/decorators.md').match(/\| compiler and settings .*\n.*\n((?:\|.*\n)+)/)!;
    const working = [...standardModes, ...legacyModes].map(({ name }) => `| ${name} | works |`);
    const refused = [...bypassedModes, earlyMode].map(({ name }) => `| ${name} | \`DecoratorError\` |`);
    expect(table!.trim().split('\n')).toEqual([...working, ...refused]);
  });
});
