/**
 * A test for texts by a glob, as Python's `fnmatch` has them: `*` stands for any characters, dots too, `?` for one,
 * `[abc]` and `[!abc]` for one of some, or of all others.
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
