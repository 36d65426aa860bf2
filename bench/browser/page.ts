import '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { checkAgreement } from '../measure/fingerprint.ts';
import { compare, interleave, type Result } from '../measure/interleave.ts';
import { casesOf, shapes, titleOf } from '../weightNorm/cases.ts';
import { fused, operations, reference } from '../weightNorm/contestants.ts';
import { gpuContestant } from './gpuContestant.ts';

// What the browser of ../browser.ts runs.

/** What is measured on one backend. */
export interface Measured {
  /** The name that the graphics processor has. */
  readonly renderer: string;
  readonly comparisons: readonly { readonly title: string; readonly results: readonly Result[] }[];
}

/** Measures the kernels of one backend against operations of tfjs. */
export type Measure = (
  backend: string,
  sizes: readonly string[],
  rounds: number,
  tell: (title: string, results: readonly Result[]) => Promise<void>,
) => Promise<Measured>;

interface Backend extends tf.KernelBackend {
  readonly gpgpu?: { readonly gl: WebGLRenderingContext };
  readonly adapterInfo?: { readonly adapterInfo?: Record<string, string> } & Record<string, string>;
}

function renderer(): string {
  const { gpgpu, adapterInfo } = tf.backend() as Backend;
  if (gpgpu !== undefined) {
    const names = gpgpu.gl.getExtension('WEBGL_debug_renderer_info');
    return String(gpgpu.gl.getParameter(names?.UNMASKED_RENDERER_WEBGL ?? gpgpu.gl.RENDERER));
  }
  const { vendor, architecture, description } = adapterInfo ?? {};
  return [vendor, architecture, description].filter(Boolean).join(' ');
}

const measure: Measure = async (backend, sizes, rounds, tell) => {
  tf.enableProdMode();
  if (!(await tf.setBackend(backend))) throw new Error(`There is no ${backend} here.`);
  await tf.ready();
  const comparisons: Measured['comparisons'][number][] = [];
  const works = Object.entries(shapes)
    .filter(([name]) => sizes.includes(name))
    .flatMap(([, shape]) => casesOf(shape))
    .filter(({ pass }) => pass !== 'backward');
  for (const work of works) {
    tf.engine().startScope();
    const contestants = Object.entries({ fused, 'tfjs operations': operations, reference }).map(
      ([name, make]) => gpuContestant(name, () => make(work)),
    );
    const expected = await contestants.at(-1)!.fingerprints();
    for (const contestant of contestants) {
      checkAgreement(contestant.name, await contestant.fingerprints(), expected);
    }
    const results = compare(await interleave(contestants, rounds));
    tf.engine().endScope();
    await tell(titleOf(work), results);
    comparisons.push({ title: titleOf(work), results });
  }
  return { renderer: renderer(), comparisons };
};

Object.assign(window, { measure });
