import { Button, Group, Select, Stack } from '@mantine/core';
import { IconHistory, IconListSearch } from '@tabler/icons-react';
import { useSearchParams } from 'react-router';
import type { RunState, Scope } from '@/api/types';
import { Problem } from '@/components/ui/problem';
import { Empty, Loaded, Section } from '@/components/ui/section';
import { useHistory } from '../api/list-history';
import { RunPanel } from './run-panel';
import { allRunStates, runStates } from './run-states';
import { TrainingHistoryTable } from './training-history-table';

/** All trainings of a scope. The filter is part of the address. */
export function HistorySection({ scope, mayChange }: { scope: Scope; mayChange: boolean }) {
  const [search, setSearch] = useSearchParams();
  const state = allRunStates.find((each) => each === search.get('status')) ?? null;
  const history = useHistory(scope, state);
  const choose = (chosen: string | null) =>
    setSearch(chosen ? { status: chosen } : {}, { replace: true, preventScrollReset: true });
  return (
    <Section
      title="Training history"
      icon={<IconHistory size={20} />}
      aside={
        <Select
          aria-label="Status"
          placeholder="Every status"
          clearable
          w={190}
          size="sm"
          data={allRunStates.map((each: RunState) => ({ value: each, label: runStates[each].label }))}
          value={state}
          onChange={choose}
          clearButtonProps={{ 'aria-label': 'Every status' }}
        />
      }
    >
      <Loaded query={history}>
        {({ pages }) => {
          const runs = pages.flatMap((page) => page.items);
          if (runs.length === 0) {
            return state ? (
              <Empty icon={<IconListSearch />} title={`No training is “${runStates[state].label}”`}>
                <Button variant="default" size="xs" onClick={() => choose(null)}>
                  Show all trainings
                </Button>
              </Empty>
            ) : (
              <Empty icon={<IconHistory />} title="No training yet">
                Once there are enough examples, start the first one above, or let a schedule do it.
              </Empty>
            );
          }

          return (
            <Stack>
              <TrainingHistoryTable
                runs={runs}
                details={(run) => <RunPanel runId={run.id} hasModel={run.model !== null} mayChange={mayChange} />}
              />
              {history.isFetchNextPageError && <Problem problem={history.error} />}
              {history.hasNextPage && (
                <Group justify="center">
                  <Button
                    variant="default"
                    loading={history.isFetchingNextPage}
                    onClick={() => void history.fetchNextPage()}
                  >
                    Show older ones
                  </Button>
                </Group>
              )}
            </Stack>
          );
        }}
      </Loaded>
    </Section>
  );
}
