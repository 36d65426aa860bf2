/** Throws if an object does not match the declarations of its class. */
export type IntegrityCheck = (host: object) => void;

const checks: IntegrityCheck[] = [];

/**
 * Adds a check that runs before the use of an object. A higher folder uses it to refuse an object that does not match
 * its declarations, if no decorator code could run earlier.
 */
export function registerIntegrityCheck(check: IntegrityCheck): void {
  checks.push(check);
}

/** Runs the registered checks on an object. */
export function checkIntegrity(host: object): void {
  for (const check of checks) check(host);
}
