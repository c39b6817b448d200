import { useInfiniteQuery } from '@tanstack/react-query';
import { api, bodyOf } from '@/api/client';
import { scopeKey, type RunState, type Scope } from '@/api/types';

const pageSize = 10;

export function historyKey(scope: Scope) {
  return [...scopeKey(scope), 'history'] as const;
}

/** The trainings of a scope, newest first, page by page. @param state Only those; null: all. */
export function useHistory(scope: Scope, state: RunState | null) {
  return useInfiniteQuery({
    queryKey: [...historyKey(scope), state],
    queryFn: ({ signal, pageParam }) => {
      const query = { limit: pageSize, after: pageParam, state: state ?? undefined };
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
