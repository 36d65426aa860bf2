import { inspectAfter } from './chain/inspectAfter.ts';
import { definitionOf, type ParametrizationDefinition } from './definition.ts';
import type { Site } from './host/site.ts';
import type { Parametrization } from './parametrization.ts';
import { targetOf } from './targetOf.ts';
import { changeStep } from './verbs/changeStep.ts';

/** Makes the change of a second call, if the tensor has the parametrization. Returns false if it does not. */
export function changesPresent<O extends object>(
  { name, secondCall }: ParametrizationDefinition<Parametrization, O>,
  site: Site,
  options: O,
): boolean {
  const list = site.registration?.list;
  if (secondCall === undefined || list === undefined) return false;
  const steps = [...list];
  const at = steps.map((registered) => definitionOf(registered)?.secondCall).lastIndexOf(secondCall as never);
  if (at < 0) return false;
  const present = steps[at] as Parametrization;
  changeStep(name, site, present, () =>
    secondCall.change(present, options, targetOf(inspectAfter(list, at), site)),
  );
  return true;
}
