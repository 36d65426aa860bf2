/**
 * Returns a test for texts by a glob, as in Python's `fnmatch`. `*` matches any characters, including dots, and `?`
 * matches one character. `[abc]` matches one of these characters, and `[!abc]` one of the others.
 */
export function globTest(glob: string): (text: string) => boolean {
  const source = glob.replace(/\[(!?)([^\]]+)\]|[\\^$.*+?()[\]{}|]/g, (match, not?: string, set?: string) => {
    if (match === '*') return '.*';
    if (match === '?') return '.';
    if (set === undefined) return `\\${match}`;
    return `[${not === '!' ? '^' : ''}${set.replace(/[\\\]^]/g, '\\$&')}]`;
  });
  const pattern = new RegExp(`^${source}$`, 's');
  return (text) => pattern.test(text);
}
