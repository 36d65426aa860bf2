import { printable } from '../checkpointError.ts';

/** A note about a file or a model, as data. */
export type CheckpointNote =
  | {
      /**
       * A fact about a model of tf.layers: a difference from torch's default, or a fact that its graph does not
       * determine.
       */
      readonly kind: 'model';
      /** The note, as a sentence. */
      readonly text: string;
    }
  | VectorNote;

/**
 * A singular vector of spectral norm that is not a unit vector, as in averages of checkpoints. σ is not the largest
 * singular value then.
 */
export interface VectorNote {
  /** The kind of the note. */
  readonly kind: 'vectorNorm';
  /** The name of the tensor in the file. */
  readonly name: string;
  /** The norm, which is 1 after training. */
  readonly norm: number;
}

/** The accepted distance of the norm from 1. A unit vector in half precision may differ by this much. */
const tolerance = 1e-2;

/** Returns a note about a vector, or null if its norm is 1. */
export function vectorNote(name: string, values: ArrayLike<number>): VectorNote | null {
  let square = 0;
  for (let i = 0; i < values.length; i++) square += values[i]! ** 2;
  const norm = Math.sqrt(square);
  return Math.abs(norm - 1) > tolerance ? { kind: 'vectorNorm', name, norm } : null;
}

/** Formats a note as a line. */
export const noteText = (note: CheckpointNote): string =>
  note.kind === 'model'
    ? note.text
    : `${printable(note.name)} has the norm ${note.norm.toPrecision(4)}, not 1, as averages of checkpoints have it: the weight is divided by another number than its largest singular value`;
