/** Copies options. Arrays and plain objects are copied deeply, everything else is shared. */
export function copyOptions(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [key, copyValue(value)]));
}

/** Copies a value as {@link copyOptions} does. */
export function copyValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyValue);
  const isPlain =
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return isPlain ? copyOptions(value as Record<string, unknown>) : value;
}
