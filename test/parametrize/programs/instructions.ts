/** Numbers from 0 to 1 that follow from a seed. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const optimizerNames = ['sgd', 'momentum', 'adagrad', 'adadelta', 'adam', 'adamax', 'rmsprop'] as const;

const mapNames = [
  'weightNorm',
  'unitNorm',
  'maxNorm',
  'minMaxNorm',
  'nonNeg',
  'spectralNorm',
  'orthogonal, matrixExp',
  'orthogonal, cayley',
  'skew',
  'symmetric',
] as const;
export type MapName = (typeof mapNames)[number];

/** Losses, by the depths of gradients at which they read the weights and use them. */
const lossNames = ['plain', 'two reads', 'inside', 'before', 'held', 'everywhere', 'product'] as const;
export type LossName = (typeof lossNames)[number];

/** One instruction. `on` says which tensor it is about: the weight of a layer, or an original below it. */
export type Instruction =
  | { readonly do: 'read' | 'readInTidy' | 'call' | 'enter' | 'leave' | 'fold' | 'copy' | 'moveToCopy' }
  | { readonly do: 'mode'; readonly training: boolean }
  | { readonly do: 'assign'; readonly on: number; readonly seed: number }
  | { readonly do: 'register'; readonly on: number; readonly map: MapName; readonly limit: number }
  | { readonly do: 'remove'; readonly on: number; readonly leave: boolean }
  | { readonly do: 'gradient' | 'step'; readonly loss: LossName };

/** A program: what it starts with, and its instructions. */
export interface Program {
  readonly seed: number;
  readonly optimizer: (typeof optimizerNames)[number];
  /** Whether the optimizer gets a list of variables; else it takes all that the loss reaches. */
  readonly withList: boolean;
  readonly instructions: readonly Instruction[];
}

/** The program of a seed. */
export function programOf(seed: number): Program {
  const random = randomOf(seed * 7919 + 1);
  const one = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const makers: (readonly [number, () => Instruction])[] = [
    [4, () => ({ do: one(['read', 'readInTidy', 'call'] as const) })],
    [2, () => ({ do: one(['enter', 'leave'] as const) })],
    [1, () => ({ do: one(['fold', 'copy', 'moveToCopy'] as const) })],
    [1, () => ({ do: 'mode', training: random() < 0.5 })],
    [2, () => ({ do: 'assign', on: Math.floor(random() * 8), seed: Math.floor(random() * 1e6) })],
    [4, () => ({ do: 'register', on: Math.floor(random() * 8), map: one(mapNames), limit: 0.5 + random() })],
    [1, () => ({ do: 'remove', on: Math.floor(random() * 8), leave: random() < 0.7 })],
    [6, () => ({ do: one(['gradient', 'step'] as const), loss: one(lossNames) })],
  ];
  const total = makers.reduce((sum, [weight]) => sum + weight, 0);
  const instruction = (): Instruction => {
    let at = random() * total;
    for (const [weight, make] of makers) {
      at -= weight;
      if (at < 0) return make();
    }
    return { do: 'read' };
  };
  const [optimizer, withList] = [one(optimizerNames), random() < 0.6];
  const register = makers[5]![1];
  const length = 2 + Math.floor(random() * 14);
  return {
    seed,
    optimizer,
    withList,
    instructions: [register(), ...Array.from({ length }, instruction)],
  };
}
