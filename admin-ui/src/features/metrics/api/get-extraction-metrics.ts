import { useQuery } from '@tanstack/react-query';
import { api, bodyOf } from '@/api/client';
import { scopeKey } from '@/api/types';

/** How good the models were in the last thirty days. */
export function useExtractionMetrics(organizationId: string) {
  return useQuery({
    queryKey: [...scopeKey({ kind: 'organization', id: organizationId }), 'metrics'],
    queryFn: ({ signal }) =>
      bodyOf(api.GET('/metrics/extraction', { params: { query: { organizationId } }, signal })),
  });
}
