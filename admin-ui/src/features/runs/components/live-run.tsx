import { Box, Button, Card, Group, Progress, Stepper, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPlayerStop } from '@tabler/icons-react';
import type { RunSummary } from '@/api/types';
import { count, duration } from '@/components/ui/format';
import { ReasonModal } from '@/components/ui/reason-modal';
import { useNow } from '@/components/ui/use-now';
import { useCancelRun } from '../api/cancel-run';
import { ApprovalCard } from './approval-card';
import { runStates, stages } from './run-states';
import { TrainingStatusBadge } from './training-status-badge';

/** A training on its way: which stage, how long already, and how to stop it. */
export function LiveRun({ run, mayChange }: { run: RunSummary; mayChange: boolean }) {
  const now = useNow(1_000);
  const [isCancelling, { open, close }] = useDisclosure(false);
  const cancel = useCancelRun(run.id);
  const stage = stages.findIndex((each) => each.states.includes(run.state));
  const elapsed = duration(now - Date.parse(run.createdAt));
  return (
    <Card
      component="section"
      aria-label="Training in progress"
      withBorder
      radius="lg"
      padding="lg"
      style={{ borderColor: 'var(--mantine-primary-color-filled)' }}
    >
      <Group justify="space-between" mb="md">
        <Group gap="sm" role="status">
          <TrainingStatusBadge state={run.state} isOver={false} />
          <Text size="sm">{runStates[run.state].meaning}</Text>
        </Group>
        <Group gap="sm">
          <Text size="sm" fw={600} ff="monospace">
            {elapsed}
          </Text>
          {mayChange && run.state !== 'cancelling' && run.state !== 'needs_operator' && (
            <Button size="xs" variant="default" leftSection={<IconPlayerStop size={16} />} onClick={open}>
              Cancel training
            </Button>
          )}
        </Group>
      </Group>
      {stage >= 0 && (
        <Box visibleFrom="xs">
          <Stepper active={stage} size="sm" allowNextStepsSelect={false}>
            {stages.map((each, index) => (
              <Stepper.Step
                key={each.label}
                label={each.label}
                loading={index === stage && run.state !== 'awaiting_approval'}
                component="div"
                tabIndex={-1}
              />
            ))}
          </Stepper>
        </Box>
      )}
      {stage >= 0 && (
        <Progress
          hiddenFrom="xs"
          value={(100 * (stage + 0.5)) / stages.length}
          animated={run.state !== 'awaiting_approval'}
          aria-label={`Stage ${stage + 1} of ${stages.length}`}
        />
      )}
      {run.state === 'awaiting_approval' ? (
        <Box mt="sm">
          <ApprovalCard run={run} mayChange={mayChange} />
        </Box>
      ) : (
        run.reason && (
          <Text size="sm" mt="sm">
            {run.reason}
          </Text>
        )
      )}
      {run.progress && (
        <Text size="sm" c="dimmed" mt="sm">
          {count(run.progress.examples)} examples out of {count(run.progress.candidates)} texts
        </Text>
      )}
      <ReasonModal
        opened={isCancelling}
        onClose={close}
        title="Cancel this training?"
        action="Cancel training"
        isReasonNeeded
        mutation={cancel}
        onConfirm={(reason) => cancel.mutate(reason, { onSuccess: close })}
      >
        What it has done until now is lost. A tuning job that has begun may still cost money.
      </ReasonModal>
    </Card>
  );
}
