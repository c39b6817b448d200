import { Alert, Button, Code, CopyButton, Group, List, Text } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconCopy, IconRefresh } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { ApiProblem } from '@/api/problem';

interface ProblemProps {
  /** What was thrown; anything that is no problem of the API is shown by its message. */
  problem: unknown;

  /** Fields whose messages stand at their inputs. */
  shownElsewhere?: readonly string[];
  onRetry?: (() => void) | undefined;
  children?: ReactNode;
}

/** What went wrong, in the words of the API, with the trace id that the operator looks for. */
export function Problem({ problem, shownElsewhere = [], onRetry, children }: ProblemProps) {
  const known =
    problem instanceof ApiProblem
      ? problem
      : new ApiProblem({
          type: 'page',
          title: 'This page made a mistake',
          detail: problem instanceof Error ? problem.message : 'It gave no reason.',
        });
  const fields = Object.entries(known.errors).filter(([field]) => !shownElsewhere.includes(field));
  return (
    <Alert
      color={known.status === 409 || known.status === 422 || known.status === 412 ? 'yellow' : 'red'}
      icon={<IconAlertTriangle />}
      title={known.title}
      role="alert"
    >
      {fields.length > 0 ? (
        <List size="sm">
          {fields.map(([field, messages]) => (
            <List.Item key={field}>{messages.join('; ')}</List.Item>
          ))}
        </List>
      ) : (
        <Text size="sm">{Object.keys(known.errors).length > 0 ? 'Look at the fields that are marked.' : known.detail}</Text>
      )}
      {children}
      {known.traceId && (
        <Group gap={6} mt="xs">
          <Text size="xs">Trace id</Text>
          <Code style={{ overflowWrap: 'anywhere' }}>{known.traceId}</Code>
          <CopyButton value={known.traceId}>
            {({ copied, copy }) => (
              <Button
                size="compact-xs"
                variant="default"
                leftSection={copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
                onClick={copy}
              >
                {copied ? 'Copied' : 'Copy'}
              </Button>
            )}
          </CopyButton>
        </Group>
      )}
      {onRetry && (
        <Button mt="sm" size="xs" variant="default" leftSection={<IconRefresh size={16} />} onClick={onRetry}>
          Try again
        </Button>
      )}
    </Alert>
  );
}
