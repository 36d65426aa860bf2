import type { Spelling } from '../nn/spelling.ts';
import { CheckpointError, corrupt, quoted } from './checkpointError.ts';
import type { CheckpointFile } from './checkpointFile.ts';
import { checkDType, type DType } from './dtype.ts';
import { foldStored } from './foldStored.ts';
import { normalizedNames, partName } from './normalizedNames.ts';
import type { StoredTensor } from './storedTensor.ts';

/** A tensor that will be written. */
export interface PlannedTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  read(): Promise<StoredTensor>;
}

/**
 * The tensors of a file in one spelling, none of them read yet. What is not normalized keeps its name and its bytes.
 *
 * @throws {@link CheckpointError} `UNSUPPORTED` for `folded`, of a parametrization that names do not tell; `DTYPE`
 */
export function respelled(file: CheckpointFile, spelling: Spelling): Map<string, PlannedTensor> {
  const groups = normalizedNames(file);
  const groupOf = new Map(groups.flatMap((group) => group.parts.map((part) => [part, group] as const)));
  const planned = new Map<string, PlannedTensor>();
  const add = (name: string, tensor: PlannedTensor): void => {
    if (planned.has(name)) throw corrupt(`two tensors would be called ${quoted(name)}`);
    planned.set(name, tensor);
  };
  for (const name of file.names) {
    const group = groupOf.get(name);
    if (group === undefined) {
      add(name, asItIs(file, name));
    } else if (group.kind === 'unknown') {
      if (spelling === 'folded') throw unknown(group.name);
      add(name, asItIs(file, name));
    } else if (spelling !== 'folded') {
      add(partName(group, group.parts.indexOf(name), spelling), asItIs(file, name));
    } else if (group.parts[0] === name) {
      const { kind, parts } = group;
      const { dtype, shape } = file.info(parts[kind === 'weightNorm' ? 1 : 0]!);
      add(group.name, {
        dtype: dtype === 'F64' ? 'F64' : 'F32',
        shape,
        async read() {
          const stored: StoredTensor[] = [];
          for (const part of parts) stored.push(await file.read(part));
          return foldStored(kind, stored, group.name);
        },
      });
    }
  }
  return planned;
}

function asItIs(file: CheckpointFile, name: string): PlannedTensor {
  const { dtype, shape } = file.info(name);
  checkDType(dtype, name);
  return { dtype, shape, read: () => file.read(name) };
}

const unknown = (name: string): CheckpointError =>
  new CheckpointError(
    'UNSUPPORTED',
    `the tensor ${quoted(name)} is parametrized, and its names do not tell by what. Load it into its model and use fold(model).`,
  );
