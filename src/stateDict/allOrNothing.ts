import { transaction } from '../parametrize/transaction.ts';

/**
 * Runs a synchronous function that registers parametrizations and assigns variables. If it throws, all of this is
 * undone.
 */
export const allOrNothing = <T>(load: () => T): T => transaction(load);
