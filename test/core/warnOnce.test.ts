import { expect, it, vi } from 'vitest';
import { warnOnce } from '../../src/core/warnOnce.ts';

it('warns once for each topic', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  warnOnce('one', 'the first');
  warnOnce('one', 'the first again');
  warnOnce('other', 'the second');
  const said = warn.mock.calls.map(([message]) => message);
  warn.mockRestore();
  expect(said).toEqual(['tfjs-parametrize: the first', 'tfjs-parametrize: the second']);
});
