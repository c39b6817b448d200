import { useQuery } from '@tanstack/react-query';
import { api, bodyOf } from '@/api/client';
import { scopeKey } from '@/api/types';

/** What each project of an organization contributes, as far as one may see it. */
export function useContributions(organizationId: string) {
  return useQuery({
    queryKey: [...scopeKey({ kind: 'organization', id: organizationId }), 'contributions'],
    queryFn: async ({ signal }) =>
      (
        await bodyOf(
          api.GET('/organizations/{organizationId}/training/stats', { params: { path: { organizationId } }, signal }),
        )
      ).statistics.projects,
  });
}
