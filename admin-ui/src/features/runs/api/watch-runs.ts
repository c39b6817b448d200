import { useQuery } from '@tanstack/react-query';
import { api, bodyOf } from '@/api/client';
import type { ExportDetails, RunSummary, Scope } from '@/api/types';
import { pollInterval } from './poll-interval';

export const runsKey = ['runs'] as const;
export const exportsKey = ['exports-watched'] as const;

/** Others may start something too. */
const quietInterval = 30_000;

interface Work {
  createdAt: string;
  isOver: boolean;
}

function nextLook(items: readonly Work[] | undefined): number {
  const live = (items ?? []).filter((each) => !each.isOver).map((each) => Date.now() - Date.parse(each.createdAt));
  return live.length === 0 ? quietInterval : pollInterval(Math.min(...live));
}

/** The newest trainings of all that the person may see, looked at again and again. */
export function useWatchedRuns() {
  return useQuery({
    queryKey: runsKey,
    queryFn: async ({ signal }): Promise<RunSummary[]> =>
      (await bodyOf(api.GET('/fine-tuning/runs', { params: { query: { limit: 50 } }, signal }))).items,
    refetchInterval: ({ state }) => nextLook(state.data),
    staleTime: 1_000,
  });
}

/** The newest exports, likewise. */
export function useWatchedExports() {
  return useQuery({
    queryKey: exportsKey,
    queryFn: async ({ signal }): Promise<ExportDetails[]> =>
      (await bodyOf(api.GET('/training-export/exports', { params: { query: { limit: 20 } }, signal }))).items,
    refetchInterval: ({ state }) => nextLook(state.data),
    staleTime: 1_000,
  });
}

/** Whether this run belongs to the scope itself. */
export function isOf(run: { organizationId: string; projectId: string | null }, scope: Scope): boolean {
  return scope.kind === 'project'
    ? run.projectId === scope.id
    : run.projectId === null && run.organizationId === scope.id;
}

/** The training of a scope that is not over; there is at most one. */
export function useLiveRun(scope: Scope): RunSummary | undefined {
  return useWatchedRuns().data?.find((run) => !run.isOver && isOf(run, scope));
}
