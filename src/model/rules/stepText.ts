import { isModule } from '../../nn/module/fields.ts';
import type { ParametrizationLike } from '../../parametrize/parametrization.ts';

/** A registered parametrization in one line: `WeightNorm(dim=0)`. */
export function stepText(registered: ParametrizationLike): string {
  if (isModule(registered)) {
    // The lines of children are left out.
    const options = registered.extraRepr();
    const inside = options === '' || options.includes('\n') ? '…' : options;
    return registered
      .toString()
      .split('\n')[0]!
      .replace(/\($/, () => `(${inside})`);
  }
  return typeof registered === 'function' ? registered.name || 'function' : 'object';
}
