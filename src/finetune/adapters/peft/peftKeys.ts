import { joinPath } from '../../../core/paths.ts';

/** The prefix of the keys in files of PEFT. */
const PREFIX = 'base_model.model.';

/** The parts of an adapter in files of PEFT, by the suffix of their keys. */
export type PeftPart = 'lora_A' | 'lora_B' | 'lora_bias' | 'lora_magnitude_vector' | 'base_layer' | 'plain';

/** A key of a file of PEFT, in either of its forms. */
export interface PeftKey {
  readonly part: PeftPart;
  /** The path of the module. */
  readonly path: string;
  /** The name of the adapter, if the key has it: that of a model in memory. */
  readonly adapter: string | null;
  /** The name of the tensor of a part `plain` or `base_layer`; empty for others. */
  readonly name: string;
  /** True for the parts of an embedding. */
  readonly isEmbedding: boolean;
}

const NAME = '(?:\\.([^.]+))?';

const forms: readonly (readonly [RegExp, (match: RegExpExecArray) => PeftKey])[] = [
  [
    new RegExp(`^(.+)\\.(lora_[AB])${NAME}\\.weight$`),
    ([, path, part, adapter]) => keyOf(part as PeftPart, path!, adapter),
  ],
  [new RegExp(`^(.+)\\.lora_B${NAME}\\.bias$`), ([, path, adapter]) => keyOf('lora_bias', path!, adapter)],
  [
    new RegExp(`^(.+)\\.lora_embedding_([AB])${NAME}$`),
    ([, path, part, adapter]) => ({
      ...keyOf(`lora_${part}` as PeftPart, path!, adapter),
      isEmbedding: true,
    }),
  ],
  [
    /^(.+)\.lora_magnitude_vector(?:\.(?!weight$)([^.]+))?(?:\.weight)?$/,
    ([, path, adapter]) => keyOf('lora_magnitude_vector', path!, adapter),
  ],
  [/^(.+)\.base_layer\.([^.]+)$/, ([, path, name]) => ({ ...keyOf('base_layer', path!), name: name! })],
  [
    /^(.+)\.modules_to_save\.([^.]+)\.(.+)$/,
    ([, path, adapter, name]) => ({ ...keyOf('plain', path!, adapter), name: name! }),
  ],
  [/^(.*\.|)([^.]+)$/, ([, path, name]) => ({ ...keyOf('plain', path!.slice(0, -1)), name: name! })],
];

const keyOf = (part: PeftPart, path: string, adapter?: string): PeftKey => ({
  part,
  path,
  adapter: adapter ?? null,
  name: '',
  isEmbedding: false,
});

/** Parses a key of a file. Returns null for the weights of a model in memory that adapters replace. */
export function parsePeftKey(key: string): PeftKey | null {
  const own = key.startsWith(PREFIX) ? key.slice(PREFIX.length) : key;
  if (/(^|\.)original_module\./.test(own)) return null;
  for (const [pattern, make] of forms) {
    const match = pattern.exec(own);
    if (match !== null) return make(match);
  }
  return null;
}

/** Returns the key of a part in a file. */
export function peftKey(part: PeftPart, path: string, name = '', isEmbedding = false): string {
  const at = PREFIX + path;
  if (part === 'plain') return PREFIX + joinPath(path, name);
  if (part === 'base_layer') return `${at}.base_layer.${name}`;
  if (part === 'lora_magnitude_vector') return `${at}.lora_magnitude_vector`;
  if (part === 'lora_bias') return `${at}.lora_B.bias`;
  if (isEmbedding) return `${at}.lora_embedding_${part.slice(-1)}`;
  return `${at}.${part}.weight`;
}
