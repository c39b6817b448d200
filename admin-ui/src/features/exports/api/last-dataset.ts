import { useQuery } from '@tanstack/react-query';
import { api, bodyOf } from '@/api/client';
import { scopeKey, type ExportDetails, type Scope } from '@/api/types';

/**
 * What was written last and what was left out of it, by an export or by a training, which exports too; null when nothing was
 * written among the last few.
 */
export function useLastDataset(scope: Scope) {
  return useQuery({
    queryKey: [...scopeKey(scope), 'last-dataset'],
    queryFn: async ({ signal }): Promise<ExportDetails | null> => {
      const limit = 10;
      const query =
        scope.kind === 'project' ? { projectId: scope.id, limit } : { organizationId: scope.id, general: true, limit };
      const [exports, trainings] = await Promise.all([
        bodyOf(api.GET('/training-export/exports', { params: { query }, signal })),
        bodyOf(api.GET('/fine-tuning/runs', { params: { query }, signal })),
      ]);
      const [last] = [
        ...exports.items.filter((each) => each.state === 'succeeded'),
        ...trainings.items.filter((each) => each.trainExamples !== null),
      ].toSorted((a, b) => b.createdAt.localeCompare(a.createdAt));
      // A list leaves out what was written. A training's export has the id of its run.
      return last
        ? bodyOf(api.GET('/training-export/exports/{id}', { params: { path: { id: last.id } }, signal }))
        : null;
    },
  });
}
