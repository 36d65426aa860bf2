import * as tf from '@tensorflow/tfjs-core';

type Variables = Record<string, tf.Variable>;

const registry = (): { registeredVariables: Variables } => tf.engine().state;

/** The variables that were there before the test: those of files that ran before in the same process. */
let others: Variables = {};

/** Called before each test. */
export function noteVariables(): void {
  others = { ...registry().registeredVariables };
}

/** `tf.disposeVariables()` in a process where only this test has made variables. */
export function disposeVariables(): void {
  const own = Object.entries(registry().registeredVariables).filter(
    ([name, variable]) => others[name] !== variable,
  );
  registry().registeredVariables = Object.fromEntries(own);
  tf.disposeVariables();
  registry().registeredVariables = others;
}
