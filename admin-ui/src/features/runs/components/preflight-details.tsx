import { Code, Stack, Table, Text } from '@mantine/core';
import type { PreflightReport } from '@/api/types';
import { count, usd, words } from '@/components/ui/format';

/** What the service takes, what it would be sent, and what the month has left: for whoever wants to know. */
export function PreflightDetails({ report: { limits, tuning } }: { report: PreflightReport }) {
  return limits.length === 0 && !tuning ? null : (
    <details>
      <Text component="summary" size="sm" fw={600} style={{ cursor: 'pointer' }}>
        Limits and the request to Vertex AI
      </Text>
      <Stack gap="sm" mt="sm">
        <Table.ScrollContainer minWidth={300} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Limit</Table.Th>
                <Table.Th ta="right">Here</Table.Th>
                <Table.Th ta="right">At most</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {limits.map(({ name, value, limit }) => (
                <Table.Tr key={name}>
                  <Table.Td>{words(name)}</Table.Td>
                  <Table.Td ta="right">{count(value)}</Table.Td>
                  <Table.Td ta="right">{count(limit)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
        {tuning && (
          <>
            <Text size="sm">
              {usd(tuning.committedUsd)} committed this month
              {tuning.monthlyLimitUsd === null ? ', without a limit' : ` of ${usd(tuning.monthlyLimitUsd)}`}; tuning in{' '}
              {tuning.region}
            </Text>
            <Code block tabIndex={0}>
              {JSON.stringify(tuning.request, null, 2)}
            </Code>
          </>
        )}
      </Stack>
    </details>
  );
}
