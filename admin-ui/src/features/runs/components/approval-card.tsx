import { Alert, Button, Group, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconCheck, IconCoin } from '@tabler/icons-react';
import type { RunSummary } from '@/api/types';
import { usd } from '@/components/ui/format';
import { Moment } from '@/components/ui/moment';
import { ReasonModal } from '@/components/ui/reason-modal';
import { useApproveRun } from '../api/approve-run';

/** A training that waits for a person: what it would cost, why somebody is asked, and until when. */
export function ApprovalCard({ run, mayChange }: { run: RunSummary; mayChange: boolean }) {
  const [isApproving, { open, close }] = useDisclosure(false);
  const approve = useApproveRun(run.id);
  const { askedUsd = null, until = null } = run.approval ?? {};
  if (run.state !== 'awaiting_approval' || askedUsd === null || until === null) {
    return null;
  }

  return (
    <Alert
      color="yellow"
      icon={<IconCoin />}
      title={`Waits for an approval of ${usd(askedUsd)}`}
      role="group"
      styles={{ title: { color: 'var(--mantine-color-text)' } }}
    >
      <Text size="sm">{sentence(run.reason ?? 'it costs more than usual')}</Text>
      <Text size="sm">
        Without an approval it is skipped on <Moment at={until} as="weekday" />. Nothing has been spent on its tuning yet.
      </Text>
      {mayChange ? (
        <Group mt="sm">
          <Button size="xs" leftSection={<IconCheck size={16} />} onClick={open}>
            Approve {usd(askedUsd)}
          </Button>
        </Group>
      ) : (
        <Text size="sm" mt="xs">
          Approving takes an admin.
        </Text>
      )}
      <ReasonModal
        opened={isApproving}
        onClose={close}
        title={`Approve ${usd(askedUsd)}?`}
        action={`Approve ${usd(askedUsd)}`}
        mutation={approve}
        onConfirm={(reason) => approve.mutate({ estimatedUsd: askedUsd, reason }, { onSuccess: close })}
      >
        The tuning job is made as soon as possible. Should it be estimated higher by then, the training asks again.
      </ReasonModal>
    </Alert>
  );
}

function sentence(reason: string): string {
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1)}${/[.!?]$/.test(reason) ? '' : '.'}`;
}
