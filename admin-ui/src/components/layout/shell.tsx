import { ActionIcon, AppShell, Burger, Group, Menu, Text, ThemeIcon, Tooltip, UnstyledButton } from '@mantine/core';
import { useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconChevronDown, IconLogout, IconMoon, IconRefresh, IconSun, IconUser } from '@tabler/icons-react';
import { Outlet } from 'react-router';
import { Loaded } from '@/components/ui/section';
import { useMe } from '@/features/session/api/get-me';
import { useSession } from '@/features/session/session';
import { RunWatch } from '@/features/runs/components/run-watch';
import { Navigation } from './navigation';

/** The frame of every page. */
export function Shell() {
  const [isOpen, { toggle, close }] = useDisclosure(false);
  const me = useMe();
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 272, breakpoint: 'md', collapsed: { mobile: !isOpen } }}
      padding={{ base: 'sm', sm: 'lg' }}
    >
      <a className="skip-link" href="#content">
        Skip to the content
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap" miw={0}>
            <Burger
              opened={isOpen}
              onClick={toggle}
              hiddenFrom="md"
              size="sm"
              aria-label="Navigation"
              aria-expanded={isOpen}
            />
            <ThemeIcon radius="md" aria-hidden>
              <IconRefresh size={20} />
            </ThemeIcon>
            <Text fw={650} truncate>
              Extraction feedback loop
            </Text>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <ColorSchemeButton />
            {me.data && <PersonMenu name={me.data.name} />}
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="md" aria-label="Settings">
        {me.data && <Navigation me={me.data} onChosen={close} />}
      </AppShell.Navbar>
      <AppShell.Main id="content">
        <Loaded query={me}>
          {() => (
            <>
              <RunWatch />
              <Outlet />
            </>
          )}
        </Loaded>
      </AppShell.Main>
    </AppShell>
  );
}

function ColorSchemeButton() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  const other = scheme === 'dark' ? 'light' : 'dark';
  return (
    <Tooltip label={`Use the ${other} colours`}>
      <ActionIcon
        variant="default"
        size="lg"
        aria-label={`Use the ${other} colours`}
        onClick={() => setColorScheme(other)}
      >
        {scheme === 'dark' ? <IconSun size={18} /> : <IconMoon size={18} />}
      </ActionIcon>
    </Tooltip>
  );
}

function PersonMenu({ name }: { name: string }) {
  const { signOut } = useSession();
  return (
    <Menu position="bottom-end" withinPortal={false}>
      <Menu.Target>
        <UnstyledButton aria-label={`Signed in as ${name}`} p={4}>
          <Group gap={6} wrap="nowrap">
            <IconUser size={20} />
            <Text size="sm" visibleFrom="sm">
              {name}
            </Text>
            <IconChevronDown size={16} />
          </Group>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{name}</Menu.Label>
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={signOut}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
