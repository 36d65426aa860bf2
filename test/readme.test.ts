import { describe, expect, it } from 'vitest';
import { codeBlocks, programs, read } from './markdown.ts';
import { outputOf } from './outputOf.ts';

const readme = read('README.md');

/** What the second program finds: `torch.save` of a weight-normalized network. */
const files = { 'model.pt': 'test/golden/layers/mlp_weight_norm.pt' };

describe('the README', () => {
  it.each(programs(readme).map(({ code, output }, i) => [i + 1, code, output] as const))(
    'has a program %i of about 20 lines that prints what the README says',
    async (_number, code, output) => {
      expect(code.trim().split('\n').length).toBeLessThanOrEqual(22);
      expect(await outputOf(code, files)).toBe(output);
    },
  );

  it('shows three uses', () => {
    expect(programs(readme)).toHaveLength(3);
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
});
