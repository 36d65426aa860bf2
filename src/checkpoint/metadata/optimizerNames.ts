/** The key of the description of an optimizer in the metadata of a file. */
export const optimizerKey = 'tfjs-parametrize.optimizer';

/** The start of the names of the tensors of an optimizer. No part of a state dict has a slash. */
const start = 'optimizer/';

/** Returns the name of a counter of an optimizer, or of a slot of one of its variables. */
export const optimizerName = (optimizer: number, part: string, variable?: number): string =>
  `${start}${optimizer}/${part}${variable === undefined ? '' : `/${variable}`}`;

/** True for the tensors of an optimizer, which are no part of the state dict of a file. */
export const isOptimizerName = (name: string, metadata: Readonly<Record<string, string>>): boolean =>
  name.startsWith(start) && metadata[optimizerKey] !== undefined;
