import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { glob } from '../../../src/model/select/glob.ts';

const matches = (pattern: string, path: string): boolean => glob('test', pattern)(path);

describe('glob', () => {
  it.each([
    ['encoder.0', ['encoder.0'], ['encoder', 'encoder.0.weight', 'encoder.00', 'a.encoder.0']],
    ['encoder.*', ['encoder.0', 'encoder.proj'], ['encoder', 'encoder.0.weight', 'encoder']],
    ['**', ['', 'a', 'a.b.c'], []],
    ['**.q_proj', ['q_proj', 'a.q_proj', 'a.b.q_proj'], ['a.q_proj.b', 'aq_proj']],
    ['a.**.z', ['a.z', 'a.b.z', 'a.b.c.z'], ['a', 'z', 'a.b.z.c']],
    ['conv?', ['conv1', 'convs'], ['conv', 'conv12']],
    ['*norm*', ['norm', 'batchnorm1', 'norm_'], ['a.norm', 'nor']],
    ['{q,k,v}_proj', ['q_proj', 'k_proj', 'v_proj'], ['o_proj', '{q,k,v}_proj']],
    ['blocks.{0..3}.**', ['blocks.0', 'blocks.3.a.b'], ['blocks.4', 'blocks', 'blocks.03']],
    ['layer{1..2}_{a,b}', ['layer1_a', 'layer2_b'], ['layer3_a', 'layer1_c']],
    ['{conv*,fc}', ['conv', 'conv_1', 'fc'], ['fc1']],
    ['**.a.**.a', ['a.a', 'x.a.y.a', 'a.x.a'], ['a', 'x.a']],
    ['', [''], ['a']],
  ])('matches with %j exactly the paths that it means', (pattern, yes, no) => {
    expect(yes.filter((path) => !matches(pattern, path))).toEqual([]);
    expect(no.filter((path) => matches(pattern, path))).toEqual([]);
  });

  it('agrees with a regular expression on any pattern and path', () => {
    const text = (...elements: string[]) =>
      fc.array(fc.constantFrom(...elements), { maxLength: 6 }).map((all) => all.join(''));
    const segment = fc.oneof(fc.constant('**'), text('a', 'b', '*', '?', '{a,bb}'));
    const path = fc
      .array(
        text('a', 'b').filter((name) => name !== ''),
        { maxLength: 5 },
      )
      .map((names) => names.join('.'));
    const pattern = fc
      .array(
        segment.filter((one) => one !== '' && (one === '**' || !one.includes('**'))),
        { minLength: 1, maxLength: 4 },
      )
      .map((segments) => segments.join('.'));
    fc.assert(
      fc.property(pattern, path, (pattern, path) => {
        const source = pattern
          .split('.')
          .map((one) =>
            one === '**'
              ? '(?:\\.[^.]+)*'
              : `\\.${one
                  .replace(/\*/g, '[^.]*')
                  .replace(/\?/g, '[^.]')
                  .replace(/\{a,bb\}/g, '(?:a|bb)')}`,
          )
          .join('');
        const reference = new RegExp(`^${source}$`).test(path === '' ? '' : `.${path}`);
        expect(matches(pattern, path)).toBe(reference);
      }),
    );
  });

  it('takes a time that is at most the product of the lengths', () => {
    const hostile = `${'*a'.repeat(200)}b`;
    expect(matches(hostile, 'a'.repeat(5_000))).toBe(false);
    expect(matches(`${'**.a.'.repeat(200)}b`, Array(5_000).fill('a').join('.'))).toBe(false);
  });

  it.each([
    ['a[0]', "has a '[', which means nothing in a glob. Pass a RegExp for more."],
    ['a\\.b', "has a '\\', which means nothing in a glob. Pass a RegExp for more."],
    ['a..b', 'has an empty segment. A path has names between its dots: encoder.0.'],
    ['a**', "has '**' inside of a segment. Use '**' between dots: **.conv*."],
    ['{a', "has a '{' without a '}'"],
    ['a}', "has a '}' without a '{'"],
    ['{a,{b}}', 'has braces inside of braces'],
    ['{3..1}', 'has the empty range {3..1}. Write the smaller number first.'],
    ['{0..1000}', 'has braces for more than 1000 texts in a segment. Use * or a RegExp.'],
    ['{0..99}{0..99}', 'has braces for more than 1000 texts in a segment. Use * or a RegExp.'],
    ['{a..c}', "has '{a..c}', which is no range of integers"],
  ])('refuses %j', (pattern, fact) => {
    expect(() => glob('parametrize', pattern)).toThrow(`parametrize: the pattern '${pattern}' ${fact}`);
  });
});
