import * as tf from '@tensorflow/tfjs-core';

export const sampleRate = 8000;
const frameSize = 64;

/** Four notes whose periods divide a frame, so that all frames of a note have the same phase. */
const notes = [500, 625, 750, 1000];

/** Some notes as frames and as sound. */
export interface Melody {
  /** `[1, bands, frames]`: one hill of bands for each note, as high as the note is loud. */
  readonly frames: tf.Tensor3D;
  /** `[1, 1, samples]` */
  readonly sound: tf.Tensor3D;
}

/** Makes the melody; the caller disposes its tensors. */
export function melody(bands: number, framesPerNote: number): Melody {
  const frameCount = notes.length * framesPerNote;
  const loudness = (frame: number): number => 0.8 * Math.exp((-2 * (frame % framesPerNote)) / framesPerNote);
  const noteAt = (frame: number): number => Math.floor(frame / framesPerNote);
  const hill = (band: number, frame: number): number => {
    const middle = ((noteAt(frame) + 0.5) * bands) / notes.length;
    return loudness(frame) * Math.exp(-((band - middle) ** 2) / 4);
  };
  const frames = Array.from({ length: bands }, (_, band) =>
    Array.from({ length: frameCount }, (_, frame) => hill(band, frame)),
  );
  const sound = Array.from({ length: frameCount * frameSize }, (_, sample) => {
    const frame = Math.floor(sample / frameSize);
    const turns = (notes[noteAt(frame)]! * sample) / sampleRate;
    return loudness(frame) * Math.sin(2 * Math.PI * turns);
  });
  return { frames: tf.tensor3d([frames]), sound: tf.tensor3d([[sound]]) };
}
