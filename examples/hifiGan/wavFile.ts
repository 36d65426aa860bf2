/** Samples between −1 and 1 as a WAV file: one channel, 16 bits. */
export function wavFile(samples: Float32Array, sampleRate: number): Uint8Array {
  const headerSize = 44;
  const dataSize = 2 * samples.length;
  const view = new DataView(new ArrayBuffer(headerSize + dataSize));
  const text = (at: number, letters: string): void => {
    for (const [i, letter] of [...letters].entries()) view.setUint8(at + i, letter.charCodeAt(0));
  };
  text(0, 'RIFF');
  view.setUint32(4, headerSize - 8 + dataSize, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, 2 * sampleRate, true); // bytes of a second
  view.setUint16(32, 2, true); // bytes of a sample
  view.setUint16(34, 16, true); // bits of a sample
  text(36, 'data');
  view.setUint32(40, dataSize, true);
  for (const [i, sample] of samples.entries()) {
    const inside = Math.min(Math.max(sample, -1), 1);
    view.setInt16(headerSize + 2 * i, Math.round(inside * 32_767), true);
  }
  return new Uint8Array(view.buffer);
}
