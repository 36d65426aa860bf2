import { isModule } from '../../nn/module/fields.ts';
import { registrationOf } from '../../parametrize/chain/registry.ts';
import { hostKindOf } from '../../parametrize/host/objectHost.ts';
import { moduleAt } from '../../stateDict/registerRecipes.ts';
import { candidateOf, type FoundCandidate } from '../select/candidate.ts';
import { hostTypeOf } from '../select/modelHosts.ts';

/** Finds the tensors of a model by the paths of a recipe, also inside of chains. */
export class TensorFinder {
  private readonly hosts = new Map<string, object>();
  private readonly byHost = new Map<object, Map<string, FoundCandidate>>();

  /** @param candidates - every tensor of the model outside of chains */
  constructor(candidates: readonly FoundCandidate[]) {
    for (const candidate of candidates) {
      const { host, paths, tensor } = candidate;
      if (!this.byHost.has(host)) {
        this.byHost.set(host, new Map());
        for (const path of paths) this.hosts.set(path, host);
      }
      this.byHost.get(host)!.set(tensor, candidate);
    }
  }

  /**
   * Returns the tensor of a path, or null.
   *
   * @param index - the number of a tensor inside of a chain, which is not known yet
   */
  find(path: string, tensor: string, index: number): FoundCandidate | null {
    const host = this.hosts.get(path);
    if (host !== undefined) return this.byHost.get(host)!.get(tensor) ?? null;
    const chain = this.chainAbove(path);
    const list = chain && registrationOf(chain.host, chain.tensor)?.list;
    const inner = list && moduleAt(list, chain.rest);
    if (inner === undefined || inner === null || !isModule(inner)) return null;
    const found = hostKindOf(inner)
      .tensors(inner)
      .find(([name]) => name === tensor);
    if (found === undefined) return null;
    const place = { host: inner, paths: [path], type: hostTypeOf(inner), mainTensor: null };
    return candidateOf(place, tensor, found[1], index);
  }

  /** Returns the tensor of the model whose chain a path goes into, or null. */
  chainAbove(path: string): { host: object; tensor: string; rest: string } | null {
    const names = path.split('.');
    for (
      let at = names.indexOf('parametrizations');
      at >= 0;
      at = names.indexOf('parametrizations', at + 1)
    ) {
      const host = this.hosts.get(names.slice(0, at).join('.'));
      const tensor = names[at + 1];
      if (host !== undefined && tensor !== undefined && this.byHost.get(host)!.has(tensor)) {
        return { host, tensor, rest: names.slice(at + 2).join('.') };
      }
    }
    return null;
  }
}
