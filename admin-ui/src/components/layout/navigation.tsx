import { NavLink, Select, Stack, Text } from '@mantine/core';
import { IconSchool } from '@tabler/icons-react';
import { Link, useLocation, useNavigate, useParams } from 'react-router';
import type { Me, VisibleOrganization } from '@/api/types';
import { pathOf } from './paths';

// The library's own is too faint on the chosen one.
const navLinkStyles = { description: { color: 'var(--mantine-color-text)', opacity: 0.9 } };

/** Organization and project to switch between, and the settings of both. */
export function Navigation({ me, onChosen }: { me: Me; onChosen: () => void }) {
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const { projectId, orgId } = useParams();
  const organization =
    me.organizations.find((each) => each.id === orgId || each.projects.some((project) => project.id === projectId)) ??
    me.organizations[0];
  const project =
    organization?.projects.find((each) => each.id === projectId) ?? organization?.projects[0];
  const go = (path: string | undefined) => {
    if (path) {
      void navigate(path);
      onChosen();
    }
  };

  return (
    <Stack gap="md">
      <Select
        label="Organization"
        searchable={me.organizations.length > 7}
        allowDeselect={false}
        data={me.organizations.map((each) => ({ value: each.id, label: each.name }))}
        value={organization?.id ?? null}
        onChange={(id) => go(firstPage(me.organizations.find((each) => each.id === id), orgId !== undefined))}
        nothingFoundMessage="No such organization"
      />
      <Select
        label="Project"
        searchable={(organization?.projects.length ?? 0) > 7}
        allowDeselect={false}
        placeholder={organization?.projects.length ? undefined : 'No project'}
        disabled={!organization?.projects.length}
        data={organization?.projects.map((each) => ({ value: each.id, label: each.name })) ?? []}
        value={project?.id ?? null}
        onChange={(id) => go(id ? pathOf({ kind: 'project', id }) : undefined)}
        nothingFoundMessage="No such project"
      />
      {project && (
        <div>
          <Text size="xs" fw={600} c="dimmed" mb={4}>
            Project Settings
          </Text>
          <NavLink
            component={Link}
            to={pathOf({ kind: 'project', id: project.id })}
            active={pathname === pathOf({ kind: 'project', id: project.id })}
            label="AI training"
            description={project.name}
            leftSection={<IconSchool size={20} />}
            styles={navLinkStyles}
            onClick={onChosen}
          />
        </div>
      )}
      {organization && (
        <div>
          <Text size="xs" fw={600} c="dimmed" mb={4}>
            Organization Settings
          </Text>
          {organization.role === null ? (
            <Text size="sm" c="dimmed" px="sm">
              Only for members of {organization.name}. You are a member of its projects.
            </Text>
          ) : (
            <NavLink
              component={Link}
              to={pathOf({ kind: 'organization', id: organization.id })}
              active={pathname === pathOf({ kind: 'organization', id: organization.id })}
              label="AI training"
              description={organization.name}
              leftSection={<IconSchool size={20} />}
              styles={navLinkStyles}
              onClick={onChosen}
            />
          )}
        </div>
      )}
    </Stack>
  );
}

function firstPage(organization: VisibleOrganization | undefined, wantsOrganization: boolean): string | undefined {
  const project = organization?.projects[0];
  return organization && organization.role !== null && (wantsOrganization || !project)
    ? pathOf({ kind: 'organization', id: organization.id })
    : project && pathOf({ kind: 'project', id: project.id });
}
