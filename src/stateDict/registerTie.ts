import { tie } from '../parametrize/verbs/tie.ts';
import type { RegisterTie } from './registerRecipes.ts';

/** Ties a tensor as the entry of a recipe says. */
export const registerTie: RegisterTie = (host, name, source, { tensor, transpose = false }) =>
  tie(host, name, source, tensor, { transpose });
