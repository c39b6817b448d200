import { Badge } from '@mantine/core';
import type { ModelVerdict } from '@/api/types';
import { verdicts } from './verdicts';

/** Whether a model is better than the one that it was to replace. */
export function VerdictBadge({ verdict }: { verdict: ModelVerdict }) {
  const { label, color, icon: VerdictIcon } = verdicts[verdict];
  return (
    <Badge
      variant="outline"
      size="lg"
      tt="none"
      color={color}
      styles={{ label: { color: 'var(--mantine-color-text)' } }}
      leftSection={<VerdictIcon size={15} aria-hidden />}
    >
      {label}
    </Badge>
  );
}
