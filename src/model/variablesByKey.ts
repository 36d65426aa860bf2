import type { Variable } from '@tensorflow/tfjs-core';
import { isModule, namedState } from '../nn/module/fields.ts';
import { candidatesOf } from './select/candidate.ts';
import { modelVariables } from './select/modelVariables.ts';

/**
 * Returns the variables of a model by their paths: of a module by the keys of its state dict, of a model of tf.layers
 * by the paths of its layers (`dense.kernel`, `dense.parametrizations.kernel.original0`). A shared variable has
 * several.
 *
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST`, `DISPOSED`
 */
export const variablesByKey = (caller: string, model: object): Map<string, Variable> =>
  new Map(
    isModule(model)
      ? namedState(model)
      : candidatesOf(caller, model)
          .flatMap(modelVariables)
          .map(({ key, variable }) => [key, variable] as const),
  );
