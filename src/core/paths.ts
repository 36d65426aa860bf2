/** Names joined by dots to a path; the empty path is the root. */
export const joinPath = (...names: readonly string[]): string =>
  names.filter((name) => name !== '').join('.');
