import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { typeName } from '../core/text.ts';
import { isVariable } from '../engine/variable.ts';
import { Copier } from '../nn/module/copy.ts';
import { Module } from '../nn/module/module.ts';
import { addedHostKindOf } from '../parametrize/host/hostKind.ts';
import { checkModel } from './checkModel.ts';

/**
 * An independent copy of a module or of an object that holds variables: variables, modules, chains, arrays, `Map`,
 * `Set` and plain objects are copied, ties between them kept; everything else is taken by reference.
 *
 * Reading, caching, training and removing on the copy never touches the source. JavaScript cannot copy `#private`
 * fields and arrow functions that capture `this`: a class with those overrides `clone()`.
 *
 * @remarks
 * **Ownership**: the copy is the caller's; dispose it.
 *
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST` if it is not an object, or a tensor or typed array that is not a
 * variable; `DISPOSED`
 */
export function clone<H extends object>(host: H): H {
  if (host instanceof Module) return host.clone();
  checkModel('clone', host);
  if (addedHostKindOf(host) !== undefined) {
    throw refusal(
      'UNSUPPORTED_HOST',
      'clone',
      `${typeName(host)} is part of a graph of layers that no copy of it would be part of`,
      'Make the model again from model.toJSON() and give it the weights, or save and load it.',
    );
  }
  if (isVariable(host) || Array.isArray(host) || host instanceof Map || host instanceof Set) {
    // As a part: field by field, as an object of some class is copied, these would lose what makes them work.
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
