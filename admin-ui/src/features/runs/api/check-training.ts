import { useQuery, useQueryClient } from '@tanstack/react-query';
import { api, bodyOf } from '@/api/client';
import { scopeKey, type PreflightReport, type Scope, type ScheduleParameters } from '@/api/types';
import { trainingInput } from './start-training';

/**
 * Checks all that a training would, and starts none. It may take most of a minute on large data; whoever goes away ends it.
 */
export function usePreflight(scope: Scope, parameters: ScheduleParameters) {
  const client = useQueryClient();
  return useQuery<PreflightReport>({
    queryKey: [...scopeKey(scope), 'preflight', parameters],
    queryFn: async ({ signal }) => {
      const place = scope.kind === 'project' ? { projectId: scope.id } : { organizationId: scope.id };
      const report = await bodyOf(
        api.POST('/fine-tuning/preflight', { body: { ...place, ...trainingInput(parameters) }, signal }),
      );
      // What the page says of “enough” comes from here.
      void client.invalidateQueries({ queryKey: [...scopeKey(scope), 'statistics'] });
      return report;
    },
    retry: false,
    refetchOnWindowFocus: false,
    gcTime: 0,
  });
}
