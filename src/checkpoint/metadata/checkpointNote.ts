import { printable } from '../checkpointError.ts';

/** A note about a file or a model, as data. */
export type CheckpointNote =
  | {
      /**
       * A fact about a model of tf.layers: a difference from torch's default, or something that its graph does not
       * tell.
       */
      readonly kind: 'model';
      /** The note, as a sentence. */
      readonly text: string;
    }
  | VectorNote;

/**
 * A singular vector of spectral norm that is no unit vector, as in averages of checkpoints: σ is not the largest
 * singular value.
 */
export interface VectorNote {
  /** Tells this note from others. */
  readonly kind: 'vectorNorm';
  /** The tensor of the file. */
  readonly name: string;
  /** Its norm, which is 1 in what training writes. */
  readonly norm: number;
}

/** The distance of the norm from 1 that is accepted: a unit vector in half precision is off by as much. */
const tolerance = 1e-2;

/** A note about a vector; null if its norm is 1. */
export function vectorNote(name: string, values: ArrayLike<number>): VectorNote | null {
  let square = 0;
  for (let i = 0; i < values.length; i++) square += values[i]! ** 2;
  const norm = Math.sqrt(square);
  return Math.abs(norm - 1) > tolerance ? { kind: 'vectorNorm', name, norm } : null;
}

/** A note as a line. */
export const noteText = (note: CheckpointNote): string =>
  note.kind === 'model'
    ? note.text
    : `${printable(note.name)} has the norm ${note.norm.toPrecision(4)}, not 1, as averages of checkpoints have it: the weight is divided by another number than its largest singular value`;
