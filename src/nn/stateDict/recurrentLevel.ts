/** Returns the level in the name of a tensor of a recurrent module, or null for other names. */
export function levelIn(name: string): number | null {
  const match = /^(?:weight|bias)_(?:ih|hh)_l(\d+)/.exec(name);
  return match === null ? null : Number(match[1]);
}

/** Returns a name with another level, or without a level. */
export const withLevel = (name: string, level: number | ''): string =>
  name.replace(/((?:weight|bias)_(?:ih|hh)_l)\d*/, `$1${level}`);
