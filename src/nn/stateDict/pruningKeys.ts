import { formatShape } from '../../core/shapes.ts';
import type { HookKeys } from './hookKeys.ts';

/**
 * `weight_orig` and `weight_mask`: `W = orig ⊙ mask`. Spectral normalization has the first name too; the second tells
 * them apart.
 */
export const pruningKeys = {
  kind: 'prune',
  suffixes: { original: '_orig', '0.mask': '_mask' },
  rule: 'orig ⊙ mask',
  whole: 'original',
  fits: ({ original, '0.mask': mask }) => formatShape(original!.shape) === formatShape(mask!.shape),
  value: ({ original, '0.mask': mask }, math) => math.mul(original!, mask!),
} satisfies HookKeys;
