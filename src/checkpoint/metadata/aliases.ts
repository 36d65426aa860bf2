/**
 * Returns the other names of tensors that the metadata of a file list, each with the name that the file has. For tied
 * tensors, `save_model` of safetensors writes the first name, and lists the others.
 */
export const aliasesIn = (
  names: ReadonlySet<string>,
  metadata: Readonly<Record<string, string>>,
): Map<string, string> =>
  new Map(Object.entries(metadata).filter(([name, kept]) => !names.has(name) && names.has(kept)));
