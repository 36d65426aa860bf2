import { defaults, namesModule, type PeftConfig, ranksOf } from './peftConfig.ts';

/** The settings of a module that is saved. */
interface SavedModule {
  readonly path: string;
  readonly rank: number;
  readonly alpha: number;
}

/** The facts about an adapter that its config tells. */
export interface SavedFacts {
  readonly modules: readonly SavedModule[];
  readonly useRslora: boolean;
  readonly useDora: boolean;
  readonly loraBias: boolean;
  readonly bias: string;
  readonly modulesToSave: readonly string[] | null;
}

/**
 * Returns the config of an adapter. Fields of a config that it was loaded with are kept as long as they are true.
 *
 * @param all - the paths of all modules that an adapter could be on
 */
export function configOf(facts: SavedFacts, all: readonly string[], loaded: PeftConfig = {}): PeftConfig {
  const { modules, useRslora, useDora, loraBias, bias, modulesToSave } = facts;
  const kept: PeftConfig = { ...defaults, ...loaded };
  const isTrue = modules.every(({ path, rank, alpha }) => {
    const told = ranksOf(kept, path);
    return told.rank === rank && told.alpha === alpha;
  });
  const [r, lora_alpha] = [
    mostFrequent(modules.map(({ rank }) => rank)),
    mostFrequent(modules.map(({ alpha }) => alpha)),
  ];
  const ranks = isTrue
    ? {}
    : {
        r,
        lora_alpha,
        rank_pattern: patternOf(
          modules.filter(({ rank }) => rank !== r),
          modules,
          ({ rank }) => rank,
        ),
        alpha_pattern: patternOf(
          modules.filter(({ alpha }) => alpha !== lora_alpha),
          modules,
          ({ alpha }) => alpha,
        ),
      };
  const own = new Set(modules.map(({ path }) => path));
  const areTargets = all.every(
    (path) =>
      own.has(path) === (namesModule(kept.target_modules, path) && !namesModule(kept.exclude_modules, path)),
  );
  return {
    ...kept,
    ...ranks,
    ...(areTargets ? {} : { target_modules: targetsOf([...own], all), exclude_modules: null }),
    bias,
    modules_to_save: modulesToSave === null || modulesToSave.length === 0 ? null : modulesToSave,
    use_rslora: useRslora,
    use_dora: useDora,
    lora_bias: loraBias,
  };
}

/** Returns a regular expression that matches a path alone. */
const exactly = (path: string): string => `^${path.replaceAll('.', '\\.')}`;

/** Returns the values of some modules by patterns that match no other module. */
const patternOf = (
  modules: readonly SavedModule[],
  all: readonly SavedModule[],
  value: (module: SavedModule) => number,
): Record<string, number> =>
  Object.fromEntries(
    modules.map((module) => {
      const { path } = module;
      const isAmbiguous = all.some((other) => other.path !== path && other.path.endsWith(`.${path}`));
      return [isAmbiguous ? exactly(path) : path, value(module)];
    }),
  );

/** Returns `target_modules` for exactly some of all modules. */
function targetsOf(own: readonly string[], all: readonly string[]): readonly string[] | string {
  const isExact = all.every((path) => own.includes(path) || !namesModule(own, path));
  return isExact ? [...own].sort() : [...own].sort().map(exactly).join('|');
}

function mostFrequent(numbers: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const one of numbers) counts.set(one, (counts.get(one) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 8;
}
