import { refusal } from '../core/errors.ts';
import { typeName } from '../core/text.ts';
import { isLayer } from '../engine/layer.ts';
import { addedHostKindOf } from '../parametrize/host/hostKind.ts';

/**
 * Refuses a value that cannot be a model: a value that is not an object, or a layer or model of tfjs-layers if
 * `tfjs-parametrize/layers` is not imported.
 *
 * @param caller - the verb, for messages
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST`
 */
export function checkModel(caller: string, model: unknown): asserts model is object {
  if (typeof model !== 'object' || model === null) {
    throw refusal('UNSUPPORTED_HOST', caller, `expected a module or an object, got ${typeName(model)}`);
  }
  if (isLayer(model) && addedHostKindOf(model) === undefined) {
    throw refusal(
      'UNSUPPORTED_HOST',
      caller,
      `${typeName(model)} belongs to @tensorflow/tfjs-layers, which this program has not joined`,
      "Add: import 'tfjs-parametrize/layers';",
    );
  }
}
