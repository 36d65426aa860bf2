/** The level in the name of a tensor of a recurrent module; null for any other. */
export function levelIn(name: string): number | null {
  const match = /^(?:weight|bias)_(?:ih|hh)_l(\d+)/.exec(name);
  return match === null ? null : Number(match[1]);
}

/** A name with another level, or without. */
export const withLevel = (name: string, level: number | ''): string =>
  name.replace(/((?:weight|bias)_(?:ih|hh)_l)\d*/, `$1${level}`);
