import { Anchor, Badge, Breadcrumbs, Group, Text, Title } from '@mantine/core';
import { useEffect } from 'react';
import { Link } from 'react-router';

interface PageHeaderProps {
  title: string;
  place: string;
  above?: { name: string; to: string | null };
  mayChange: boolean;
}

/** Where one is, and as what. */
export function PageHeader({ title, place, above, mayChange }: PageHeaderProps) {
  useEffect(() => {
    document.title = `${title} · ${place}`;
  }, [title, place]);

  return (
    <header>
      <Breadcrumbs separatorMargin={6} mb={4}>
        {above &&
          (above.to === null ? (
            <Text size="sm" c="dimmed">
              {above.name}
            </Text>
          ) : (
            <Anchor component={Link} to={above.to} size="sm">
              {above.name}
            </Anchor>
          ))}
        <Text size="sm">{place}</Text>
      </Breadcrumbs>
      <Group gap="sm">
        <Title order={1} size="h2">
          {title}
        </Title>
        <Badge variant="default" tt="none" size="lg">
          {mayChange ? 'You are an admin here' : 'You may look, not change'}
        </Badge>
      </Group>
    </header>
  );
}
