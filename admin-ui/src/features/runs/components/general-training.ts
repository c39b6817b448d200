import type { GeneralTraining } from '@/api/types';
import { words } from '@/components/ui/format';

/** What becomes of a project's training that somebody starts while the general model is being trained. */
export function generalTrainingWords({ state, parentModelVersion, baseModel }: GeneralTraining): string {
  const base = parentModelVersion === null ? baseModel : `version ${parentModelVersion} of the general model`;
  return (
    `The general model is being trained (${words(state)}). This training does not wait for it: ` +
    `it goes on from ${base}, unless the new one is in use before its tuning begins.`
  );
}
