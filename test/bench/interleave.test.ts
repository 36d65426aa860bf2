import { expect, it } from 'vitest';
import { type Contestant, compare, interleave } from '../../bench/measure/interleave.ts';

/** Takes so many milliseconds for the work, without doing any, and writes down its turns. */
function pretending(name: string, milliseconds: (turn: number) => number, turns: string[]): Contestant {
  let turn = 0;
  return {
    name,
    run: (repetitions) => {
      turns.push(name);
      return Promise.resolve(milliseconds(turn++) * repetitions);
    },
  };
}

it('lets everybody have a turn in every round, every other one backwards', async () => {
  const turns: string[] = [];
  const contestants = ['a', 'b', 'c'].map((name) => pretending(name, () => 30, turns));
  await interleave(contestants, 3);
  expect(turns.slice(6).join('')).toBe('abccbaabc');
});

it('compares the times of one round with each other, for one time of the work', async () => {
  // After two turns to get warm. The machine is twice as slow in the second round.
  const first = pretending('first', (turn) => [9, 9, 2, 4, 2][turn]!, []);
  const second = pretending('second', (turn) => [9, 9, 6, 12, 10][turn]!, []);
  const [own, other] = compare(await interleave([first, second], 3));
  expect(own).toMatchObject({ ratio: { min: 1, median: 1, max: 1 }, milliseconds: { min: 2, max: 4 } });
  expect(other).toMatchObject({ rounds: 3, ratio: { min: 3, median: 3, max: 5 } });
});

it('repeats short work until a sample is long enough to measure', async () => {
  const repetitions: number[] = [];
  const run = (count: number) => {
    repetitions.push(count);
    return Promise.resolve(3 * count);
  };
  await interleave([{ name: 'short', run }], 1);
  expect(repetitions).toEqual([1, 1, 7]);
});

it('repeats short work as often as it takes once it is compiled', async () => {
  const repetitions: number[] = [];
  let done = 0;
  const run = (count: number) => {
    repetitions.push(count);
    const milliseconds = count * (done < 300 ? 0.5 : 0.01);
    done += count;
    return Promise.resolve(milliseconds);
  };
  await interleave([{ name: 'short', run }], 2);
  expect(repetitions.slice(-2)).toEqual([2000, 2000]);
});

it('asks the slow less often, and the very slow once', async () => {
  const turns: string[] = [];
  const quick = pretending('quick', () => 100, turns);
  const slow = pretending('slow', () => 6000, turns);
  const slowest = pretending('slowest', () => 50_000, turns);
  const results = compare(await interleave([quick, slow, slowest], 5));
  expect(results.map(({ rounds }) => rounds)).toEqual([5, 3, 1]);
  expect(turns.filter((name) => name === 'slowest')).toHaveLength(1);
  expect(results[2]!.ratio.median).toBe(500);
});
