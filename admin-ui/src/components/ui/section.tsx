import { Card, Group, Skeleton, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import { useId, type ReactNode } from 'react';
import { ApiProblem } from '@/api/problem';
import { Problem } from './problem';

interface SectionProps {
  title: string;
  icon?: ReactNode;
  description?: ReactNode;
  /** At the right end of the heading. */
  aside?: ReactNode;
  children: ReactNode;
}

/** A part of a page under its own heading. */
export function Section({ title, icon, description, aside, children }: SectionProps) {
  const id = useId();
  return (
    <Card
      component="section"
      aria-labelledby={id}
      padding="lg"
      radius="lg"
      withBorder
      miw={0}
      style={{ overflow: 'visible', boxShadow: 'var(--card-shadow)' }}
    >
      <Group justify="space-between" align="flex-start" mb="md" gap="sm">
        <Group gap="sm" wrap="nowrap" align="flex-start">
          {icon && (
            <ThemeIcon variant="light" size={34} radius="md" aria-hidden>
              {icon}
            </ThemeIcon>
          )}
          <div>
            <Title order={2} size="h4" id={id} mt={icon ? 4 : 0}>
              {title}
            </Title>
            {description && (
              <Text size="sm" c="dimmed">
                {description}
              </Text>
            )}
          </div>
        </Group>
        {aside}
      </Group>
      {children}
    </Card>
  );
}

interface LoadedProps<T> {
  query: {
    data: T | undefined;
    error: Error | null;
    isPending: boolean;
    refetch: () => unknown;
  };
  skeleton?: ReactNode;
  children: (data: T) => ReactNode;
}

/**
 * The data of a query, or what is to be seen instead. What one may no longer see goes away at once; what only could not be
 * refreshed stays, under a word about that.
 */
export function Loaded<T>({ query, skeleton, children }: LoadedProps<T>) {
  const retry = () => void query.refetch();
  const isHidden = query.error instanceof ApiProblem && query.error.isHidden;
  if (query.data === undefined || isHidden) {
    return query.error ? <Problem problem={query.error} onRetry={retry} /> : (skeleton ?? <SectionSkeleton />);
  }

  return (
    <Stack>
      {query.error && <Problem problem={query.error} onRetry={retry} />}
      {children(query.data)}
    </Stack>
  );
}

export function SectionSkeleton() {
  return (
    <Stack role="status" aria-label="Loading" gap="sm">
      <Skeleton height={18} width="60%" />
      <Skeleton height={18} width="85%" />
      <Skeleton height={90} />
    </Stack>
  );
}

/** Nothing there yet, and what to do next. */
export function Empty({ icon, title, children }: { icon: ReactNode; title: string; children?: ReactNode }) {
  return (
    <Stack align="center" ta="center" py="lg" gap="xs">
      <ThemeIcon size={48} radius="xl" variant="light" color="gray" aria-hidden>
        {icon}
      </ThemeIcon>
      <Text fw={600}>{title}</Text>
      <Text size="sm" c="dimmed" maw={460} component="div">
        {children}
      </Text>
    </Stack>
  );
}
