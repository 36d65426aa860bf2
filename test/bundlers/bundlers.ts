import { basename, dirname } from 'node:path';

/** Texts that a bundler puts in the place of names. */
type Define = Readonly<Record<string, string>>;

/** Bundles programs, minified and with tfjs left outside, into `<out>/<name of the program>`. */
export type Bundle = (programs: readonly string[], out: string, define?: Define) => Promise<void>;

const external = /^@tensorflow\//;

const nameOf = (program: string): string => basename(program).replace(/\.[jt]s$/, '');

/**
 * Imports a package that only these tests need.
 *
 * @throws Error that says how to get it
 */
async function imported<T>(name: string): Promise<T> {
  try {
    return (await import(/* @vite-ignore */ name)) as T;
  } catch (error) {
    throw new Error(`The package ${name} is missing. Run npm ci.`, { cause: error });
  }
}

/** Each as its own documentation shows it; one build for each program where a build shakes all programs as one. */
export const bundlers: Readonly<Record<string, Bundle>> = {
  'Vite 7': (programs, out, define) => viteBuild('vite', programs, out, false, define),
  'Vite 8': (programs, out, define) => viteBuild('vite8', programs, out, false, define),

  async Rollup(programs, out, define = {}) {
    const { rollup } = await imported<typeof import('rollup')>('rollup');
    const { nodeResolve } = await imported<typeof import('@rollup/plugin-node-resolve')>(
      '@rollup/plugin-node-resolve',
    );
    const { transform } = await imported<typeof import('esbuild')>('esbuild');
    const minify = { name: 'minify', renderChunk: (code: string) => transform(code, { minify: true }) };
    // What `@rollup/plugin-replace` does.
    const replace = {
      name: 'replace',
      transform: async (code: string) => (await transform(code, { define: { ...define } })).code,
    };
    // The parsed modules: the programs have most of them in common.
    let cache: import('rollup').RollupCache | undefined;
    for (const program of programs) {
      const build = await rollup({
        input: program,
        ...(cache && { cache }),
        external,
        plugins: [nodeResolve(), ...(Object.keys(define).length > 0 ? [replace] : []), minify],
        onwarn: (warning) => {
          if (warning.code !== 'THIS_IS_UNDEFINED') throw new Error(warning.message);
        },
      });
      cache = build.cache;
      await build.write({ dir: out, entryFileNames: `${nameOf(program)}.mjs`, format: 'es' });
      await build.close();
    }
  },

  async esbuild(programs, out, define = {}) {
    const { build } = await imported<typeof import('esbuild')>('esbuild');
    await build({
      entryPoints: [...programs],
      outdir: out,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'neutral',
      mainFields: ['module', 'main'],
      target: 'node20',
      external: ['@tensorflow/*', 'node:*'],
      define: { ...define },
      logLevel: 'error',
    });
  },

  async webpack(programs, out, define = {}) {
    const { default: webpack } = await imported<{ default: typeof import('webpack') }>('webpack');
    await new Promise<void>((resolve, reject) => {
      webpack(
        {
          mode: 'production',
          target: 'node20',
          entry: Object.fromEntries(programs.map((program) => [nameOf(program), program])),
          output: { path: out, filename: '[name].mjs', library: { type: 'module' }, module: true },
          experiments: { outputModule: true },
          externals: [
            ({ request }, done) => (external.test(request!) ? done(undefined, `module ${request}`) : done()),
          ],
          plugins: [new webpack.DefinePlugin({ ...define })],
          performance: { hints: false },
        },
        (error, stats) => {
          const problem = error ?? (stats?.hasErrors() ? new Error(stats.toString('errors-only')) : null);
          if (problem === null) resolve();
          else reject(problem);
        },
      );
    });
  },
};

/** Builds with the Vite of a package name, with a configuration file or none. */
export async function viteBuild(
  name: string,
  programs: readonly string[],
  out: string,
  configFile: string | false = false,
  define: Define = {},
): Promise<void> {
  const { build } = await imported<typeof import('vite')>(name);
  for (const program of programs) {
    await build({
      root: dirname(program),
      configFile,
      define: { ...define },
      logLevel: 'error',
      build: {
        outDir: out,
        emptyOutDir: false,
        target: 'node20',
        minify: name === 'vite' ? 'esbuild' : true,
        modulePreload: false,
        rollupOptions: {
          input: program,
          external: (id) => external.test(id) || id.startsWith('node:'),
          output: { entryFileNames: `${nameOf(program)}.mjs` },
        },
      },
    });
  }
}
