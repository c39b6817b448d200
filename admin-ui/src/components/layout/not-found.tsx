import { Anchor, Button } from '@mantine/core';
import { IconMapOff, IconPlugX } from '@tabler/icons-react';
import { Link, useRouteError } from 'react-router';
import { Empty } from '@/components/ui/section';

export function NotFound() {
  return (
    <Empty icon={<IconMapOff />} title="There is no such page">
      It may have been deleted, or you are not a member of where it belongs.{' '}
      <Anchor component={Link} to="/" underline="always">
        Go to your first project
      </Anchor>
    </Empty>
  );
}

/** In place of a page that could not be loaded, most often because a newer version was put into use. */
export function PageFailure() {
  const error = useRouteError();
  return (
    <Empty icon={<IconPlugX />} title="This page could not be shown">
      <p>{error instanceof Error ? error.message : 'It gave no reason.'}</p>
      <Button onClick={() => location.reload()}>Load it again</Button>
    </Empty>
  );
}
