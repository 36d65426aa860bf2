import { ParametrizeError, typeName } from '../errors.ts';
import { isModule } from '../nn/fields.ts';

/**
 * Refuses models that have no state dict.
 *
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST`
 */
export function checkModule(caller: string, model: unknown): void {
  if (isModule(model)) return;
  throw new ParametrizeError(
    'UNSUPPORTED_HOST',
    `${caller}: expected a module of tfjs-parametrize/nn, got ${typeName(model)}. Read the tensors with readSafetensors or readTorch and set the weights yourself.`,
  );
}
