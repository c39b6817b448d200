import { IconUsersGroup } from '@tabler/icons-react';
import { Navigate } from 'react-router';
import { Empty } from '@/components/ui/section';
import { useMe } from '@/features/session/api/get-me';
import { pathOf } from './paths';

/** Leads to the first page that the person may see. */
export function Home() {
  const organizations = useMe().data?.organizations ?? [];
  const project = organizations.flatMap((each) => each.projects)[0];
  const organization = organizations.find((each) => each.role !== null);
  if (project) {
    return <Navigate replace to={pathOf({ kind: 'project', id: project.id })} />;
  }

  return organization ? (
    <Navigate replace to={pathOf({ kind: 'organization', id: organization.id })} />
  ) : (
    <Empty icon={<IconUsersGroup />} title="You are not a member of any project yet">
      Ask an admin of your organization to add you to one. Then reload this page.
    </Empty>
  );
}
