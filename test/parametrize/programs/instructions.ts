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
  | { readonly do: 'gradient' | 'step'; readonly loss: LossName }
  | Edit
  | { readonly do: 'skip'; readonly on: number; readonly at: number; readonly loss: LossName }
  | { readonly do: 'rules'; readonly match: string; readonly map: MapName; readonly limit: number }
  | { readonly do: 'undo' | 'keepRecipe' | 'applyKept' | 'makeAgain' }
  | { readonly do: 'applyRecipe'; readonly path: string; readonly maps: readonly MapName[] };

/** A change of one chain. `at` is a step, modulo their number. */
export type Edit = { readonly on: number; readonly at: number; readonly keep: 'value' | 'originals' } & (
  | { readonly do: 'insert'; readonly map: MapName; readonly limit: number }
  | { readonly do: 'replace'; readonly map: MapName; readonly limit: number }
  | { readonly do: 'drop' }
  | { readonly do: 'reorder' }
);

/** How the two layers of a module are one: not at all, one module at two places, or one weight that is tied. */
const sharings = ['none', 'none', 'module', 'tie'] as const;

/** A program: what it starts with, and its instructions. */
export interface Program {
  readonly seed: number;
  readonly optimizer: (typeof optimizerNames)[number];
  /** Whether the optimizer gets a list of variables; else it takes all that the loss reaches. */
  readonly withList: boolean;
  readonly sharing: (typeof sharings)[number];
  readonly instructions: readonly Instruction[];
}

/**
 * The program of a seed.
 *
 * @param withEdits - false for a program without edits, rules, recipes and ties, the same one as ever
 */
export function programOf(seed: number, withEdits: boolean): Program {
  const random = randomOf(seed * 7919 + 1);
  const one = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const whole = (below: number): number => Math.floor(random() * below);
  const edit = (): Instruction => {
    const what = one(['insert', 'replace', 'drop', 'reorder', 'reorder'] as const);
    const common = { on: whole(8), at: whole(4), keep: one(['value', 'originals'] as const) };
    if (what === 'drop' || what === 'reorder') return { do: what, ...common };
    return { do: what, ...common, map: one(mapNames), limit: 0.5 + random() };
  };
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
  const further: typeof makers = [
    [4, edit],
    [1, () => ({ do: 'skip', on: whole(8), at: whole(4), loss: one(lossNames) })],
    [
      1,
      () => ({
        do: 'rules',
        match: one(['a', 'b', '{a,b}', '**']),
        map: one(mapNames),
        limit: 0.5 + random(),
      }),
    ],
    [3, () => ({ do: one(['undo', 'undo', 'undo', 'keepRecipe', 'applyKept', 'makeAgain'] as const) })],
    [1, () => ({ do: 'applyRecipe', path: one(['a', 'b']), maps: [one(mapNames), one(mapNames)] })],
  ];
  if (withEdits) makers.push(...further);
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
  const sharing = withEdits ? one(sharings) : 'none';
  const register = makers[5]![1];
  const length = 2 + Math.floor(random() * 14);
  return {
    seed,
    optimizer,
    withList,
    sharing,
    instructions: [register(), ...Array.from({ length }, instruction)],
  };
}
