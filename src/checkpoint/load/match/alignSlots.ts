import type { Match } from './matchSlots.ts';
import { misfit, type Slot } from './slots.ts';
import type { StoredModule } from './storedModules.ts';

// With more pairs, the table below would take too long for a message.
const mostPairs = 1_000_000;

/**
 * Returns the largest number of fitting pairs of slots and modules in order, like a comparison of texts line by line.
 * So an extra module does not shift the others.
 */
export function alignSlots(slots: readonly Slot[], modules: readonly StoredModule[]): Match[] {
  const [rows, columns] = [slots.length, modules.length];
  if (rows * columns > mostPairs) return [];
  const fits = slots.map((slot) => modules.map((module) => misfit(slot, module) === null));
  const best = Array.from({ length: rows + 1 }, () => new Int32Array(columns + 1));
  for (let i = rows - 1; i >= 0; i--) {
    for (let j = columns - 1; j >= 0; j--) {
      const pair = fits[i]![j] ? best[i + 1]![j + 1]! + 1 : 0;
      best[i]![j] = Math.max(pair, best[i + 1]![j]!, best[i]![j + 1]!);
    }
  }
  const matches: Match[] = [];
  for (let i = 0, j = 0; i < rows && j < columns; ) {
    if (fits[i]![j] && best[i]![j] === best[i + 1]![j + 1]! + 1) {
      matches.push({ slot: slots[i++]!, module: modules[j++]! });
    } else if (best[i]![j] === best[i + 1]![j]) i++;
    else j++;
  }
  return matches;
}
