import type { ParametrizeError } from '../../core/errors.ts';
import type { Format, FormatName, FormatOptions } from './format.ts';
import { safetensorsFormat } from './safetensors/safetensorsFormat.ts';
import { torchFormat } from './torch/torchFormat.ts';

/** The formats that can be read. What looks like several has the first of them. */
const formats: readonly Format[] = [safetensorsFormat, torchFormat];

/** The format that a file has by its first bytes; undefined if it has none of those that can be read. */
export const formatOf = (start: Uint8Array, size: number): Format | undefined =>
  formats.find((format) => format.looksLike(start, size));

/** The format of a name. */
export const formatNamed = (name: FormatName): Format => formats.find((format) => format.name === name)!;

/** The options of all formats. */
export const formatOptions: readonly string[] = formats.flatMap(({ options }) => options);

/**
 * Refuses values that options of formats cannot have.
 *
 * @throws {@link ParametrizeError} `OPTION`
 */
export function checkFormatOptions(caller: string, options: FormatOptions): void {
  for (const format of formats) format.checkOptions(caller, options);
}
