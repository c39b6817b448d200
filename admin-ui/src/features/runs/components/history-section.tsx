import { Button, Group, Stack } from '@mantine/core';
import { IconHistory, IconListSearch } from '@tabler/icons-react';
import { useSearchParams } from 'react-router';
import type { Scope } from '@/api/types';
import { Problem } from '@/components/ui/problem';
import { Empty, Loaded, Section } from '@/components/ui/section';
import { useHistory } from '../api/list-history';
import {
  everything,
  HistoryFilter,
  readChoice,
  startOf,
  writeChoice,
  type HistoryChoice,
} from './history-filter';
import { RunPanel } from './run-panel';
import { TrainingHistoryTable } from './training-history-table';

/** All trainings of a scope. The filter is part of the address. */
export function HistorySection({ scope, mayChange }: { scope: Scope; mayChange: boolean }) {
  const [search, setSearch] = useSearchParams();
  const choice = readChoice(search);
  const { state, trigger, days } = choice;
  const history = useHistory(scope, { state, trigger, createdFrom: startOf(days, new Date()) });
  const choose = (chosen: HistoryChoice) =>
    setSearch(writeChoice(chosen), { replace: true, preventScrollReset: true });
  return (
    <Section
      title="Training history"
      icon={<IconHistory size={20} />}
      aside={<HistoryFilter value={choice} onChange={choose} />}
    >
      <Loaded query={history}>
        {({ pages }) => {
          const runs = pages.flatMap((page) => page.items);
          if (runs.length === 0) {
            return state || trigger || days ? (
              <Empty icon={<IconListSearch />} title="No training is like that">
                <Button variant="default" size="xs" onClick={() => choose(everything)}>
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
