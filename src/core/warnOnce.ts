const warned = new Set<string>();

/** Warns, once in the life of the process for each topic. */
export function warnOnce(topic: string, message: string): void {
  if (warned.has(topic)) return;
  warned.add(topic);
  console.warn(`tfjs-parametrize: ${message}`);
}

/** Lets every topic be warned about again: for tests, which share the life of a process. */
export const forgetWarnings = (): void => warned.clear();
