import { checkModel } from '../../model/checkModel.ts';
import { candidatesOf } from '../../model/select/candidate.ts';
import { maskIn } from './pruningTargets.ts';

/**
 * Returns true if a tensor of a model has a mask of {@link prune}, even one that hides nothing. It returns false after
 * `fold`, which makes zeros permanent.
 *
 * @param model - a module, a layer or model of tf.layers, or an object with parametrized tensors
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST`, `LIMIT`
 * @see torch.nn.utils.prune.is_pruned
 */
export function isPruned(model: object): boolean {
  checkModel('isPruned', model);
  return candidatesOf('isPruned', model).some(({ list }) => maskIn(list) !== null);
}
