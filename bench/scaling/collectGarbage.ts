import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Collects now what is left over, so that it is not collected at the cost of what is measured next. */
export const collectGarbage = runInNewContext('gc') as () => void;
