import { max, median, min } from 'simple-statistics';

/** One of several ways of doing the same work. */
export interface Contestant {
  readonly name: string;
  /** Does the work so many times; returns how many milliseconds that took, without what it takes to get there. */
  run(repetitions: number): Promise<number>;
}

/** The milliseconds that a contestant took for the work, by round; one that is slow is not in every round. */
export type Times = ReadonlyMap<Contestant, ReadonlyMap<number, number>>;

/** How long a sample lasts at least: of less, the clock and its neighbours would be measured. */
const LEAST_MILLISECONDS = 20;

/** How long short work is done before it is measured. */
const WARM_UP_MILLISECONDS = 200;

/** How long the samples of one contestant last together, about: slow ones are in the first rounds only. */
const MOST_MILLISECONDS = 20_000;

/**
 * Measures contestants in turns, so that whatever else the machine does, it does to all of them.
 *
 * Every other round goes backwards: nobody always follows the same one.
 */
export async function interleave(contestants: readonly Contestant[], rounds: number): Promise<Times> {
  const plans: Plan[] = [];
  for (const contestant of contestants) plans.push(await planOf(contestant, rounds));
  for (let round = 0; round < rounds; round++) {
    for (const { contestant, repetitions, last, times } of round % 2 === 0 ? plans : [...plans].reverse()) {
      if (round > last) continue;
      times.set(round, (await contestant.run(repetitions)) / repetitions);
    }
  }
  return new Map(plans.map(({ contestant, times }) => [contestant, times]));
}

interface Plan {
  readonly contestant: Contestant;
  /** How often the work is done in one sample. */
  readonly repetitions: number;
  /** The last round that it is in. */
  readonly last: number;
  readonly times: Map<number, number>;
}

async function planOf(contestant: Contestant, rounds: number): Promise<Plan> {
  const first = await contestant.run(1);
  // Not asked again, its only time stands for the first round.
  if (first > MOST_MILLISECONDS / 2) {
    return { contestant, repetitions: 1, last: -1, times: new Map([[0, first]]) };
  }
  // The first time is slow where it is short: code is compiled, memory is asked for.
  const once = first > 1000 ? first : await contestant.run(1);
  let repetitions = Math.max(1, Math.ceil(LEAST_MILLISECONDS / once));
  let sample = once * repetitions;
  // What takes less than a millisecond gets much faster still, until its code is compiled for the last time.
  const warmUp = once < 1 ? WARM_UP_MILLISECONDS : 0;
  for (let spent = 0; spent < warmUp || sample < LEAST_MILLISECONDS; spent += sample) {
    sample = await contestant.run(repetitions);
    if (sample < LEAST_MILLISECONDS) repetitions = Math.ceil((repetitions * LEAST_MILLISECONDS) / sample);
  }
  const count = Math.floor(MOST_MILLISECONDS / sample);
  return { contestant, repetitions, last: Math.min(rounds, Math.max(count, 2)) - 1, times: new Map() };
}

/** What is told of a list of numbers. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** The spread of a list of numbers. */
export const spread = (numbers: number[]): Spread => ({
  min: min(numbers),
  median: median(numbers),
  max: max(numbers),
});

/** One contestant's times, and how many times those of the first contestant they are, round by round. */
export interface Result {
  readonly name: string;
  /** How many rounds it was in. */
  readonly rounds: number;
  readonly milliseconds: Spread;
  readonly ratio: Spread;
}

/** The results, in the order of the contestants, of which the first is what the others are compared with. */
export function compare(times: Times): Result[] {
  const [first] = times.values();
  return Array.from(times, ([{ name }, own]) => ({
    name,
    rounds: own.size,
    milliseconds: spread([...own.values()]),
    ratio: spread(Array.from(own, ([round, time]) => time / first!.get(round)!)),
  }));
}
