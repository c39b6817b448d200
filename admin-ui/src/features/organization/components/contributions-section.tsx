import { Anchor, Group, Progress, Stack, Table, Text } from '@mantine/core';
import { IconFolderOff, IconUsersGroup } from '@tabler/icons-react';
import { Link } from 'react-router';
import { pathOf } from '@/components/layout/paths';
import { Figure } from '@/components/ui/facts';
import { count } from '@/components/ui/format';
import { Moment } from '@/components/ui/moment';
import { Empty, Loaded, Section } from '@/components/ui/section';
import { useProjectModels } from '@/features/models/api/list-models';
import { useContributions } from '../api/get-contributions';

/** Which project brings how much, and which have a model of their own. */
export function ContributionsSection({ organizationId }: { organizationId: string }) {
  const projects = useContributions(organizationId);
  const models = useProjectModels(organizationId);
  return (
    <Section
      title="Projects"
      icon={<IconUsersGroup size={20} />}
      description="What each contributes to the general model"
    >
      <Loaded query={projects}>
        {(found) => {
          if (found.length === 0) {
            return (
              <Empty icon={<IconFolderOff />} title="No project that you may see">
                The figures above are those of all projects. Ask an organization admin to see them one by one.
              </Empty>
            );
          }

          const most = Math.max(1, ...found.map((each) => each.verified));
          return (
            <Stack>
              <Group gap="xl">
                <Figure label="projects contribute" value={`${count(found.filter((each) => each.verified > 0).length)} of ${count(found.length)}`} />
                <Figure label="have a model of their own" value={models.data ? count(models.data.length) : '…'} />
              </Group>
              <Table.ScrollContainer minWidth={260} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
                <Table verticalSpacing="sm">
                  <Table.Thead>
                    <Table.Tr>
                      <Table.Th>Project</Table.Th>
                      <Table.Th>Verified</Table.Th>
                      <Table.Th visibleFrom="sm">Last updated</Table.Th>
                      <Table.Th>Own model</Table.Th>
                    </Table.Tr>
                  </Table.Thead>
                  <Table.Tbody>
                    {found.map((each) => {
                      const model = models.data?.find((candidate) => candidate.projectId === each.projectId);
                      return (
                        <Table.Tr key={each.projectId}>
                          <Table.Td>
                            <Anchor component={Link} to={pathOf({ kind: 'project', id: each.projectId })} size="sm">
                              {each.name}
                            </Anchor>
                          </Table.Td>
                          <Table.Td>
                            <Text size="sm">{count(each.verified)}</Text>
                            <Progress value={(100 * each.verified) / most} size={6} maw={160} aria-label={`${count(each.verified)} verified`} />
                          </Table.Td>
                          <Table.Td visibleFrom="sm">
                            <Text size="sm">{each.lastChangeAt ? <Moment at={each.lastChangeAt} as="ago" /> : 'never'}</Text>
                          </Table.Td>
                          <Table.Td>
                            <Text size="sm">{model ? `v${model.version}` : 'general model'}</Text>
                          </Table.Td>
                        </Table.Tr>
                      );
                    })}
                  </Table.Tbody>
                </Table>
              </Table.ScrollContainer>
            </Stack>
          );
        }}
      </Loaded>
    </Section>
  );
}
