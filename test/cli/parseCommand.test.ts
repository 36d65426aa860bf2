import { describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { parseCommand, UsageError } from '../../src/cli/parseCommand.ts';

const convert = commands.find(({ name }) => name === 'convert')!;

describe('parseCommand', () => {
  it('returns the file and the options by their names in camelCase', () => {
    const args = ['in.pt', '-o', 'out.safetensors', '--key-format=modern', '--json'];
    const values = { output: 'out.safetensors', keyFormat: 'modern', json: true };
    expect(parseCommand(convert, args)).toEqual({ file: 'in.pt', values });
  });

  it('returns an array for an option that may be given several times', () => {
    const args = ['in.pt', '-o', 'a', '--key-format', 'modern', '--exclude', 'a.*', '--exclude', 'b'];
    expect(parseCommand(convert, args)?.values).toMatchObject({ exclude: ['a.*', 'b'] });
  });

  it.each([['-h'], ['--help']])('returns null for %s, whatever is missing', (flag) => {
    expect(parseCommand(convert, [flag])).toBeNull();
  });

  it.each([
    [['in.pt', '--key-fomat', 'modern'], "unknown option '--key-fomat'. Did you mean 'key-format'?"],
    [['in.pt', '-x'], "unknown option '-x'."],
    [['in.pt', '-o', 'out.safetensors'], "required option '--key-format <name>' is missing"],
    [['in.pt', '-o', 'a', '--key-format', 'old'], 'Allowed choices are modern, legacy, folded.'],
    [['a.pt', 'b.pt', '-o', 'a', '--key-format', 'modern'], 'too many arguments: expected one file, got 2'],
    [['in.pt', '-o'], 'argument missing'],
    [['in.pt', '--json=yes'], 'does not take an argument'],
  ])('refuses %j with a message that says why', (args, message) => {
    const parse = () => parseCommand(convert, args);
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(message);
  });
});
