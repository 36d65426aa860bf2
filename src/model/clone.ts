import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { typeName } from '../core/text.ts';
import { isVariable } from '../engine/variable.ts';
import { Copier } from '../nn/module/copy.ts';
import { Module } from '../nn/module/module.ts';
import { addedHostKindOf } from '../parametrize/host/hostKind.ts';
import { checkModel } from './checkModel.ts';

/**
 * Returns an independent copy of a module or of an object that holds variables. Variables, modules, chains, arrays,
 * `Map`, `Set` and plain objects are copied, with the ties between them. Everything else is shared.
 *
 * Reading, caching, training and removing on the copy do not change the source. JavaScript cannot copy `#private`
 * fields and arrow functions that capture `this`. A class with those must override `clone()`.
 *
 * @remarks
 * **Ownership**: the copy is the caller's; dispose it.
 *
 * @param host - a module, or an object that holds variables
 * @returns the copy
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST` if `host` is not an object, or is a typed array or a tensor other
 * than a variable; `DISPOSED`
 */
export function clone<H extends object>(host: H): H {
  if (host instanceof Module) return host.clone();
  checkModel('clone', host);
  if (addedHostKindOf(host) !== undefined) {
    throw refusal(
      'UNSUPPORTED_HOST',
      'clone',
      `${typeName(host)} is part of a graph of layers, and a copy would be outside of the graph`,
      'Make the model again from model.toJSON() and give it the weights, or save and load it.',
    );
  }
  if (isVariable(host) || Array.isArray(host) || host instanceof Map || host instanceof Set) {
    // These objects are copied as a part of another object. Copied field by field, they would stop working.
    return new Copier().copyRoot({ host }).host;
  }
  if (host instanceof tf.Tensor || ArrayBuffer.isView(host)) {
    throw refusal(
      'UNSUPPORTED_HOST',
      'clone',
      `${typeName(host)} holds no variables`,
      `Use ${host instanceof tf.Tensor ? 'tf.clone(tensor)' : 'slice()'}.`,
    );
  }
  return new Copier().copyRoot(host);
}
