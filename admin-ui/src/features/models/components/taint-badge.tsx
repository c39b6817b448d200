import { Badge } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { ModelSummary } from '@/api/types';
import { Moment } from '@/components/ui/moment';

/** A model that has learnt from a document that was forgotten or deleted since. */
export function TaintBadge({ taint }: { taint: NonNullable<ModelSummary['taint']> }) {
  return (
    <Badge
      variant="outline"
      size="lg"
      tt="none"
      color="red"
      styles={{ label: { color: 'var(--mantine-color-text)' } }}
      leftSection={<IconAlertTriangle size={15} aria-hidden />}
    >
      Tainted since <Moment at={taint.since} />
    </Badge>
  );
}
