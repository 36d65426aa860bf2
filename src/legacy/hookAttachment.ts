import { refusal } from '../core/errors.ts';
import { typeName } from '../core/text.ts';
import { namedState } from '../nn/module/fields.ts';
import { releaseField } from '../nn/module/heldVariables.ts';
import { addHook, dropHook, type ForwardPreHook } from '../nn/module/hooks.ts';
import type { Module } from '../nn/module/module.ts';
import type { HookKeys } from '../nn/stateDict/hookKeys.ts';
import { keysIn, partsOf } from '../nn/stateDict/stateKeys.ts';
import type { Attachment } from '../parametrize/chain/attachment.ts';
import type { ParametrizationList } from '../parametrize/chain/parametrizationList.ts';
import { registrationOf } from '../parametrize/chain/registry.ts';
import { checkConfigurable, defineAccessor, defineVariable } from '../parametrize/host/tensorAccessor.ts';
import { keepKeyOrder, undoable } from '../parametrize/transaction.ts';

/** The fields that a legacy normalization has on a module. */
export interface HookSpec {
  /** The computed tensor. */
  readonly name: string;
  /** The names of its variables on the module: `weight_g`. */
  readonly hookKeys: HookKeys;
  /** Runs before each forward of the module. */
  readonly beforeForward?: (module: Module, list: ParametrizationList) => void;
}

/**
 * Makes the attachment of a chain in the legacy way. Its variables are fields of the module, after all others, and
 * `module.parametrizations` does not list it. The tensor is an accessor, as in the modern way.
 *
 * @param caller - the public function, for messages
 * @throws {@link ParametrizeError} `INVALID_NAME` if the module has a field of one of these names
 */
export function hookAttachment(caller: string, module: Module, spec: HookSpec): Attachment {
  const { name, hookKeys } = spec;
  const fields = keysIn(name, hookKeys, true);
  const taken = fields.find((field) => field in module);
  if (taken !== undefined) {
    throw refusal(
      'INVALID_NAME',
      caller,
      `${typeName(module)} has a field '${taken}' already, which is needed for ${typeName(module)}.${name}`,
      'Rename it.',
    );
  }
  const { enumerable = true, writable = true } = Object.getOwnPropertyDescriptor(module, name) ?? {};
  const listOn = (host: Module): ParametrizationList => registrationOf(host, name)!.list;
  const beforeForward: ForwardPreHook = (host) => spec.beforeForward?.(host, listOn(host));
  const dispose = (host: Module): void => listOn(host).dispose();
  const attach = (host: Module): Attachment => {
    return {
      isHooked: true,
      fields,
      closed: {
        fact: 'is normalized by the hook API, which nothing can follow',
        remedy: "Register the function of the same name of 'tfjs-parametrize' instead.",
      },
      checkUninstall(by) {
        checkConfigurable(by, host, [name, ...fields]);
      },
      install(list) {
        defineAccessor(host, name, { list, attach: (copy) => attach(copy as Module), isListed: false });
        const variables = new Map(namedState(list));
        for (const [i, part] of partsOf(hookKeys).entries()) {
          const value = variables.get(part)!;
          Object.defineProperty(host, fields[i]!, { value, enumerable: true, configurable: true });
        }
        if (spec.beforeForward !== undefined) addHook(host, 'forwardPre', beforeForward);
        addHook(host, 'dispose', dispose);
      },
      uninstall(_list, variable) {
        keepKeyOrder(host);
        const before = [name, ...fields].map(
          (key) => [key, Object.getOwnPropertyDescriptor(host, key)!] as const,
        );
        undoable(() => {
          for (const [key, descriptor] of before) Object.defineProperty(host, key, descriptor);
          releaseField(host, name);
          if (spec.beforeForward !== undefined) addHook(host, 'forwardPre', beforeForward);
          addHook(host, 'dispose', dispose);
        });
        dropHook(host, 'forwardPre', beforeForward);
        dropHook(host, 'dispose', dispose);
        for (const field of fields) delete (host as unknown as Record<string, unknown>)[field];
        defineVariable(host, name, variable, { enumerable, writable });
      },
    };
  };
  return attach(module);
}
