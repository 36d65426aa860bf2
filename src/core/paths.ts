/** Joins names by dots to a path. The empty path is the root. */
export const joinPath = (...names: readonly string[]): string =>
  names.filter((name) => name !== '').join('.');
