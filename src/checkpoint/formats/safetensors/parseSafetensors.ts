import { Budget } from '../../source/budget.ts';
import type { Reading } from '../../source/reading.ts';
import type { ParsedCheckpoint } from '../parsedCheckpoint.ts';
import { readHeader } from './safetensorsHeader.ts';

/** Reads the header of a safetensors file of some size in bytes. */
export function* parseSafetensors(size: number): Reading<ParsedCheckpoint> {
  const budget = new Budget(size);
  const { metadata, tensors } = yield* readHeader({ size, budget });
  return { budget, format: 'safetensors', metadata, tensors, object: null, placeholders: [] };
}
