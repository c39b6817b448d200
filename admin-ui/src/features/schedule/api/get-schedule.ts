import { useQuery } from '@tanstack/react-query';
import { api, bodyOf } from '@/api/client';
import { scopeKey, type ScheduleView, type Scope } from '@/api/types';

export function scheduleKey(scope: Scope) {
  return [...scopeKey(scope), 'schedule'] as const;
}

export function readSchedule(scope: Scope, signal?: AbortSignal): Promise<ScheduleView> {
  return scope.kind === 'project'
    ? bodyOf(
        api.GET('/projects/{projectId}/training/schedule', { params: { path: { projectId: scope.id } }, signal }),
      )
    : bodyOf(
        api.GET('/organizations/{organizationId}/training/schedule', {
          params: { path: { organizationId: scope.id } },
          signal,
        }),
      );
}

/** When trainings of a scope start by themselves, and what the last tick made of it. */
export function useSchedule(scope: Scope) {
  return useQuery({
    queryKey: scheduleKey(scope),
    queryFn: ({ signal }) => readSchedule(scope, signal),
    // A tick decides every now and then, and somebody else may save.
    refetchInterval: 60_000,
  });
}
