/** Throws if an object is not what its class declares. */
export type IntegrityCheck = (host: object) => void;

const checks: IntegrityCheck[] = [];

/**
 * Adds a check of objects before their use: how a higher folder refuses one that was built otherwise than declared,
 * where the language gives no earlier occasion.
 */
export function registerIntegrityCheck(check: IntegrityCheck): void {
  checks.push(check);
}

/** Runs the registered checks on an object. */
export function checkIntegrity(host: object): void {
  for (const check of checks) check(host);
}
