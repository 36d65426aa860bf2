const warned = new Set<string>();

/** Prints a warning once for each topic in the life of the process. */
export function warnOnce(topic: string, message: string): void {
  if (warned.has(topic)) return;
  warned.add(topic);
  console.warn(`tfjs-parametrize: ${message}`);
}

/** Forgets all printed topics. Tests need this, because many run in one process. */
export const forgetWarnings = (): void => warned.clear();
