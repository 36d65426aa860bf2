import type * as tf from '@tensorflow/tfjs-core';

/** True if a value has the interface of `tf.io` for loading or saving. */
export const isIOHandler = (value: unknown): value is tf.io.IOHandler =>
  typeof value === 'object' && value !== null && ('load' in value || 'save' in value) && !('size' in value);

/** Returns the scheme of a URL that only `tf.io` may support, or null for files and the web. */
export function schemeOf(target: unknown): string | null {
  if (typeof target !== 'string') return null;
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(target)?.[1]?.toLowerCase();
  return scheme === undefined || ['http', 'https', 'file'].includes(scheme) ? null : scheme;
}
