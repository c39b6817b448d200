import { useInfiniteQuery } from '@tanstack/react-query';
import { api, bodyOf } from '@/api/client';
import { scopeKey, type RunState, type RunTrigger, type Scope } from '@/api/types';

const pageSize = 10;

export function historyKey(scope: Scope) {
  return [...scopeKey(scope), 'history'] as const;
}

/** Which trainings; what is null narrows nothing. */
export interface HistoryFilter {
  state: RunState | null;
  trigger: RunTrigger | null;

  /** ISO 8601: only those since then. */
  createdFrom: string | null;
}

export const everyTraining: HistoryFilter = { state: null, trigger: null, createdFrom: null };

/** The trainings of a scope, newest first, page by page. */
export function useHistory(scope: Scope, filter: HistoryFilter = everyTraining) {
  return useInfiniteQuery({
    queryKey: [...historyKey(scope), filter],
    queryFn: ({ signal, pageParam }) => {
      const query = {
        limit: pageSize,
        after: pageParam,
        state: filter.state ?? undefined,
        trigger: filter.trigger ?? undefined,
        createdFrom: filter.createdFrom ?? undefined,
      };
      return scope.kind === 'project'
        ? bodyOf(
            api.GET('/projects/{projectId}/training/history', {
              params: { path: { projectId: scope.id }, query },
              signal,
            }),
          )
        : bodyOf(
            api.GET('/organizations/{organizationId}/training/history', {
              params: { path: { organizationId: scope.id }, query },
              signal,
            }),
          );
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });
}
