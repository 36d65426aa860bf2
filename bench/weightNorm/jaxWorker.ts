/**
 * Answers one line of JSON on stdin with one on stdout: the jax-js side of the benchmark, as torchWorker.py is PyTorch's. A
 * process of its own, because jax-js takes a navigator for granted, and tfjs one for a browser.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Array as JaxArray } from '@jax-js/jax';
import { type Fingerprint, fingerprint } from '../measure/fingerprint.ts';
import type { Case, Wave } from './cases.ts';

Object.assign(globalThis, { navigator: globalThis.navigator ?? {} });
const { blockUntilReady, defaultDevice, init, jit, numpy, vjp } = await import('@jax-js/jax');
await init('wasm');
defaultDevice('wasm');

type Work = Case & { readonly inputs: Readonly<Record<'g' | 'v' | 'dW', Wave>> };

function arrayOf({ shape, phase, offset }: Wave): JaxArray {
  const count = shape.reduce((product, size) => product * size, 1);
  const numbers = Float32Array.from({ length: count }, (_, i) => offset + Math.sin(phase * (i + 1)));
  return numpy.array(numbers).reshape([...shape]);
}

/** The work of a case, compiled by jax-js: its results, the weight first. */
function stepOf({ kept, pass, inputs }: Work): () => JaxArray[] {
  const normalized = (g: JaxArray, v: JaxArray) => {
    const norms = numpy.sqrt(numpy.sum(numpy.square(v.ref), 1 - kept, { keepdims: true }));
    return v.mul(g.div(norms));
  };
  const [g, v, dW] = [arrayOf(inputs.g), arrayOf(inputs.v), arrayOf(inputs.dW)];
  if (pass === 'forward') {
    const forward = jit(normalized);
    return () => [forward(g.ref, v.ref)];
  }
  const both = jit((g: JaxArray, v: JaxArray, dW: JaxArray) => {
    const [W, pullBack] = vjp(normalized, [g, v]);
    const [dg, dv] = pullBack(dW) as [JaxArray, JaxArray];
    return [W, dg, dv] as [JaxArray, JaxArray, JaxArray];
  });
  return () => both(g.ref, v.ref, dW.ref);
}

let step: () => JaxArray[] = () => [];

async function answer(request: { make: Work } | { run: number }): Promise<Fingerprint[] | number> {
  if ('make' in request) {
    step = stepOf(request.make);
    return Promise.all(step().map(fingerprint));
  }
  const start = performance.now();
  for (let i = 0; i < request.run; i++) {
    const results = step();
    await blockUntilReady(results);
    for (const result of results) result.dispose();
  }
  return performance.now() - start;
}

const manifest = new URL('../package.json', import.meta.resolve('@jax-js/jax'));
console.log(JSON.stringify(JSON.parse(readFileSync(manifest, 'utf8')).version));
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line))));
}
