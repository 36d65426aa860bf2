import type { ParametrizeError } from '../../core/errors.ts';
import type { Format, FormatName, FormatOptions } from './format.ts';
import { safetensorsFormat } from './safetensors/safetensorsFormat.ts';
import { torchFormat } from './torch/torchFormat.ts';

/** The supported formats. A file that looks like several has the first of them. */
const formats: readonly Format[] = [safetensorsFormat, torchFormat];

/** Returns the format of a file by its first bytes, or undefined. */
export const formatOf = (start: Uint8Array, size: number): Format | undefined =>
  formats.find((format) => format.looksLike(start, size));

/** Returns the format of a name. */
export const formatNamed = (name: FormatName): Format => formats.find((format) => format.name === name)!;

/** The options of all formats. */
export const formatOptions: readonly string[] = formats.flatMap(({ options }) => options);

/**
 * Refuses invalid values of options of formats.
 *
 * @throws {@link ParametrizeError} `OPTION`
 */
export function checkFormatOptions(caller: string, options: FormatOptions): void {
  for (const format of formats) format.checkOptions(caller, options);
}
