import { ActionIcon, Box, Collapse, Group, Table, Text, VisuallyHidden } from '@mantine/core';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { Fragment, useId, useState, type ReactNode } from 'react';
import type { RunSummary } from '@/api/types';
import { count } from '@/components/ui/format';
import { Moment } from '@/components/ui/moment';
import { VerdictBadge } from '@/features/models/components/verdict-badge';
import { triggers } from './run-states';
import { TrainingStatusBadge } from './training-status-badge';

interface TrainingHistoryTableProps {
  runs: readonly RunSummary[];

  /** What an opened row shows. */
  details: (run: RunSummary) => ReactNode;
}

const columns = 7;

/** Trainings, newest first; each row opens to all that is known of it. */
export function TrainingHistoryTable({ runs, details }: TrainingHistoryTableProps) {
  return (
    <Table highlightOnHover verticalSpacing="sm" layout="auto">
      <Table.Thead>
        <Table.Tr>
          <Table.Th w={44}>
            <VisuallyHidden>Details</VisuallyHidden>
          </Table.Th>
          <Table.Th>Version</Table.Th>
          <Table.Th visibleFrom="xs">Started</Table.Th>
          <Table.Th visibleFrom="lg">Completed</Table.Th>
          <Table.Th visibleFrom="sm" ta="right">
            Examples
          </Table.Th>
          <Table.Th>Status</Table.Th>
          <Table.Th visibleFrom="sm">Trigger</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {runs.map((run) => (
          <HistoryRow key={run.id} run={run} details={details} />
        ))}
      </Table.Tbody>
    </Table>
  );
}

function HistoryRow({ run, details }: { run: RunSummary; details: (run: RunSummary) => ReactNode }) {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const name = run.model ? `version ${run.model.version}` : 'the training without a model';
  const isInUse = run.model?.status === 'ready';
  return (
    <Fragment>
      <Table.Tr onClick={() => setOpen(!isOpen)} style={{ cursor: 'pointer' }}>
        <Table.Td>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-expanded={isOpen}
            aria-controls={id}
            aria-label={`Details of ${name}`}
            onClick={(event) => {
              event.stopPropagation();
              setOpen(!isOpen);
            }}
          >
            {isOpen ? <IconChevronDown size={18} /> : <IconChevronRight size={18} />}
          </ActionIcon>
        </Table.Td>
        <Table.Td>
          <Text fw={600} size="sm">
            {run.model ? `v${run.model.version}` : '–'}
          </Text>
          {isInUse && (
            <Text size="xs" fw={600} c="var(--mantine-color-text)">
              in use
            </Text>
          )}
        </Table.Td>
        <Table.Td visibleFrom="xs">
          <Text size="sm">
            <Moment at={run.createdAt} />
          </Text>
        </Table.Td>
        <Table.Td visibleFrom="lg">
          <Text size="sm">{run.endedAt ? <Moment at={run.endedAt} /> : '–'}</Text>
        </Table.Td>
        <Table.Td visibleFrom="sm" ta="right">
          <Text size="sm">
            {run.trainExamples === null ? '–' : count(run.trainExamples + (run.validationExamples ?? 0))}
          </Text>
        </Table.Td>
        <Table.Td>
          <Group gap={6}>
            <TrainingStatusBadge state={run.state} isOver={run.isOver} />
            {run.model?.verdict && <VerdictBadge verdict={run.model.verdict} />}
          </Group>
        </Table.Td>
        <Table.Td visibleFrom="sm">
          <Text size="sm">{triggers[run.trigger]}</Text>
        </Table.Td>
      </Table.Tr>
      <Table.Tr id={id} hidden={!isOpen}>
        <Table.Td colSpan={columns} p={0}>
          <Collapse expanded={isOpen}>
            <Box p={{ base: 'sm', sm: 'lg' }}>{isOpen && details(run)}</Box>
          </Collapse>
        </Table.Td>
      </Table.Tr>
    </Fragment>
  );
}
