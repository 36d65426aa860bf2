import * as nn from 'tfjs-parametrize/nn';
import { describe, expect, it } from 'vitest';
import { read } from './markdown.ts';

const modules = Object.entries(nn)
  .filter(([, value]) => typeof value === 'function' && value.prototype instanceof nn.Module)
  .map(([name]) => name)
  // A base class; the text names it.
  .filter((name) => name !== 'ModuleSequence');

/** The names in the first column of the table of layers. */
const inTable = read('docs/nn.md')
  .split('\n## ')
  .find((section) => section.startsWith('Layers'))!
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .flatMap((line) => [...line.split('|')[1]!.matchAll(/`(\w+)`/g)].map(([, name]) => name!));

describe("docs/nn.md's table of layers", () => {
  it('has every module of nn, once', () => {
    expect([...inTable].sort()).toEqual(modules.sort());
  });
});
