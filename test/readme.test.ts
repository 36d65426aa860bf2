import * as nn from 'tfjs-parametrize/nn';
import { describe, expect, it } from 'vitest';
import { codeBlocks, read } from './markdown.ts';
import { outputOf } from './outputOf.ts';

const readme = read('README.md');

describe('the README', () => {
  it('has an example of about 20 lines that prints what it says', async () => {
    const program = codeBlocks(readme, 'ts');
    expect(program.trim().split('\n').length).toBeLessThanOrEqual(22);
    expect(await outputOf(program)).toBe(codeBlocks(readme, 'text'));
  });

  it('names the two commands for a clone', () => {
    const commands = codeBlocks(readme, 'sh').split('\n');
    expect(commands).toContain('npm ci && npm start');
    expect(commands).toContain('npm ci && npm test');
  });

  it('names only scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const documents = readme + read('CONTRIBUTING.md');
    const names = [...documents.matchAll(/npm (?:run ([\w:]+)|(start|test))/g)].map(
      (match) => match[1] ?? match[2]!,
    );
    expect(names.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('names every module of nn', () => {
    const table = readme.split('\n').find((line) => line.startsWith('| `tfjs-parametrize/nn`'));
    const modules = Object.entries(nn).filter(
      ([, value]) => typeof value === 'function' && value.prototype instanceof nn.Module,
    );
    const names = modules.map(([name]) => name).filter((name) => name !== 'ModuleSequence');
    expect(names.filter((name) => !table?.includes(`\`${name}\``))).toEqual([]);
  });
});
