import { useQuery } from '@tanstack/react-query';
import { api, bodyOf } from '@/api/client';
import { scopeKey, type ExportDetails, type Scope } from '@/api/types';

/** The newest export that succeeded; null when there is none among the last few. */
export function useLastExport(scope: Scope) {
  return useQuery({
    queryKey: [...scopeKey(scope), 'last-export'],
    queryFn: async ({ signal }): Promise<ExportDetails | null> => {
      const query =
        scope.kind === 'project'
          ? { projectId: scope.id, limit: 10 }
          : { organizationId: scope.id, general: true, limit: 10 };
      const page = await bodyOf(api.GET('/training-export/exports', { params: { query }, signal }));
      const last = page.items.find((each) => each.state === 'succeeded');
      // A list leaves out what was written.
      return last
        ? bodyOf(api.GET('/training-export/exports/{id}', { params: { path: { id: last.id } }, signal }))
        : null;
    },
  });
}
