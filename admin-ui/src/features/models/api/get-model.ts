import { useQuery } from '@tanstack/react-query';
import { api, bodyOf } from '@/api/client';

/** A model with its evaluation, cost and tuning statistics. */
export function useModel(id: string | undefined) {
  return useQuery({
    queryKey: ['scope', 'model', id],
    queryFn: ({ signal }) =>
      bodyOf(api.GET('/fine-tuning/models/{id}', { params: { path: { id: id ?? '' } }, signal })),
    enabled: id !== undefined,
  });
}
