import type { Variable } from '@tensorflow/tfjs-core';
import { isVariable } from '../../engine/variable.ts';
import { listsIn } from '../../parametrize/chain/dependencyKey.ts';
import type { ParametrizationList } from '../../parametrize/chain/parametrizationList.ts';

/** Returns the originals that the definition of a parametrization freezes, also those of computed originals. */
const frozenOriginals = (list: ParametrizationList): Variable[] =>
  listsIn(list).flatMap((one) =>
    one.originalNames.flatMap((name, i) => {
      const variable: unknown = Object.getOwnPropertyDescriptor(one, name)?.value;
      return one.steps[0]?.trainable[i] === false && isVariable(variable) ? [variable] : [];
    }),
  );

/** Returns the variables that definitions freeze: originals, and the bases of maps that freeze them. */
export const frozenVariables = (list: ParametrizationList): Variable[] => [
  ...new Set([
    ...frozenOriginals(list),
    ...listsIn(list).flatMap(({ frozenBase }) => [...frozenBase.keys()]),
  ]),
];
