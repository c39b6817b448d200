import { Box, Button, Group, Modal, Skeleton, Table, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconChartBarOff, IconTable } from '@tabler/icons-react';
import { lazy, Suspense } from 'react';
import type { TypeStatistics } from '@/api/types';
import { count } from '@/components/ui/format';
import { Empty } from '@/components/ui/section';
import { foldTail } from './distribution';

// Most of a page's script is the drawing of charts; the figures are there before it.
const DistributionBars = lazy(() => import('./distribution-bars'));

const mostBars = 8;

/** Verified objects by entity type, with the whole table behind a button. */
export function EntityDistributionChart({ types }: { types: readonly TypeStatistics[] }) {
  const [isOpen, { open, close }] = useDisclosure(false);
  const bars = foldTail(types, mostBars);
  if (bars.length === 0) {
    return (
      <Empty icon={<IconChartBarOff />} title="No verified entities yet">
        Entities appear here once people have reviewed what was extracted from documents.
      </Empty>
    );
  }

  const height = bars.length * 36 + 40;
  const summary = bars.map((bar) => `${bar.type} ${count(bar.humanReviewed + bar.autoAccepted)}`).join(', ');
  return (
    <>
      <Group justify="space-between" mb={4}>
        <Text fw={600} size="sm" component="h3">
          Verified entities by type
        </Text>
        <Button size="compact-sm" variant="subtle" leftSection={<IconTable size={16} />} onClick={open}>
          {types.length === 1 ? 'As a table' : `All ${count(types.length)} types as a table`}
        </Button>
      </Group>
      <Box role="img" aria-label={`Verified entities by type: ${summary}`}>
        <Suspense fallback={<Skeleton height={height} />}>
          <DistributionBars bars={bars} height={height} />
        </Suspense>
      </Box>
      <Modal opened={isOpen} onClose={close} title="Entities by type" size="lg">
        <Table.ScrollContainer minWidth={460} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
          <Table striped>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Type</Table.Th>
                <Table.Th ta="right">Human-reviewed</Table.Th>
                <Table.Th ta="right">Auto-accepted</Table.Th>
                <Table.Th ta="right">Undecided</Table.Th>
                <Table.Th ta="right">Rejected</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {types.map((each) => (
                <Table.Tr key={each.type}>
                  <Table.Td>{each.type}</Table.Td>
                  <Table.Td ta="right">{count(each.humanReviewed)}</Table.Td>
                  <Table.Td ta="right">{count(each.autoAccepted)}</Table.Td>
                  <Table.Td ta="right">{count(each.undecided)}</Table.Td>
                  <Table.Td ta="right">{count(each.rejected)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      </Modal>
    </>
  );
}
