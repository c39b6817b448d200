import { IconEqual, IconTrendingDown, IconTrendingUp, type Icon } from '@tabler/icons-react';
import type { ModelVerdict } from '@/api/types';

/** How the outcome of a comparison is shown; a new one is missing here until somebody finds words for it. */
export const verdicts: Readonly<Record<ModelVerdict, { label: string; color: string; icon: Icon }>> = {
  better: { label: 'Better', color: 'teal', icon: IconTrendingUp },
  no_evidence: { label: 'Cannot tell', color: 'gray', icon: IconEqual },
  worse: { label: 'Worse', color: 'red', icon: IconTrendingDown },
};
