import { joinPath } from '../core/paths.ts';
import { typeName } from '../core/text.ts';
import { everyPath, fieldsOf } from '../nn/module/fields.ts';
import { hooks, type LoadStateDictReport } from '../nn/module/hooks.ts';
import { loadStateDict } from '../nn/module/loadStateDict.ts';
import type { Module } from '../nn/module/module.ts';
import { tiedKeysOf } from '../nn/module/tiedKeysOf.ts';
import { isFold } from '../nn/stateDict/keyMapping.ts';
import { plainKeys } from '../nn/stateDict/stateKeys.ts';
import type { TiedKeys } from '../nn/stateDict/tiedKeys.ts';
import { formulaByRecipe } from './formulaByRecipe.ts';
import { partFinder } from './partFinder.ts';
import { registeringRecipes } from './registerRecipes.ts';
import type { LoadedState, StateLoading, StatePart, StateView } from './stateView.ts';
import { unmapped } from './unmapped.ts';

/**
 * The state of a module. Its parts are the module and the modules below it, and their paths are their names in a file.
 */
export class ModuleStateView implements StateView {
  readonly type: string;
  readonly parts: readonly StatePart[];
  readonly ties: TiedKeys;
  readonly notes = [];
  readonly matching = 'names';
  readonly ignored = null;
  readonly takesOtherKeys: boolean;
  readonly partOf: (key: string) => StatePart | undefined;
  private readonly module: Module;

  constructor(module: Module) {
    this.module = module;
    this.type = typeName(module);
    this.ties = tiedKeysOf(module);
    const paths = everyPath(module);
    this.parts = paths.map(([prefix, part]) => partOf(prefix.slice(0, -1), part));
    this.partOf = partFinder(
      this.parts.flatMap((part) =>
        part.tensors.flatMap(({ path }) => plainKeys(path).map((key) => [key, part] as const)),
      ),
    );
    // A hook may accept other keys.
    this.takesOtherKeys = paths.some(([, part]) => hooks(part, 'loadStateDictPre').length > 0);
  }

  /** Returns false, because the names of modules do not determine their order. */
  areOrdered(): boolean {
    return false;
  }

  load({ tensors, strict, recipe, catalog, tie, ...names }: StateLoading): LoadedState {
    const { module } = this;
    const load = (): LoadStateDictReport =>
      loadStateDict(module, tensors, { strict }, { ...names, formulaOf: formulaByRecipe(recipe, catalog) });
    const { registered, report } =
      catalog === undefined || recipe.length === 0
        ? { registered: [], report: load() }
        : registeringRecipes(module, recipe, { catalog, tie }, (registered) => ({
            registered,
            report: load(),
          }));
    const { mapped, missingKeys, unexpectedKeys } = report;
    return {
      mapped: [...unmapped(tensors, report, this.ties), ...mapped].map((mapping) => ({
        ...mapping,
        isFolded: isFold(mapping),
      })),
      missingKeys,
      unexpectedKeys,
      registered,
    };
  }
}

const partOf = (path: string, module: Module): StatePart => ({
  path,
  owner: path,
  isNamed: true,
  tensors: fieldsOf(module).variables.map(([name, { shape }]) => ({
    path: joinPath(path, name),
    shape,
    torchNames: [name],
    torchShape: shape,
  })),
});
