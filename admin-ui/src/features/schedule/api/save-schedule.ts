import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, bodyOf } from '@/api/client';
import type { ScheduleSettings, ScheduleView, Scope } from '@/api/types';
import { scheduleKey } from './get-schedule';

/** Saves a schedule on top of the version that was changed; the API refuses with 412 when there is a newer one. */
export function useSaveSchedule(scope: Scope) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ settings, version }: { settings: ScheduleSettings; version: number }): Promise<ScheduleView> => {
      const header = { 'If-Match': `"${version}"` };
      return scope.kind === 'project'
        ? bodyOf(
            api.PUT('/projects/{projectId}/training/schedule', {
              params: { path: { projectId: scope.id }, header },
              body: settings,
            }),
          )
        : bodyOf(
            api.PUT('/organizations/{organizationId}/training/schedule', {
              params: { path: { organizationId: scope.id }, header },
              body: settings,
            }),
          );
    },
    onSuccess: (saved) => client.setQueryData(scheduleKey(scope), saved),
  });
}
