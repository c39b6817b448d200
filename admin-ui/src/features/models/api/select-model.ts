import { useQuery } from '@tanstack/react-query';
import { api, bodyOf } from '@/api/client';
import { scopeKey, type SelectedModel } from '@/api/types';

/** The model that the next extraction of a project uses. */
export function useSelectedModel(projectId: string | undefined) {
  return useQuery({
    queryKey: [...scopeKey({ kind: 'project', id: projectId ?? '' }), 'selected-model'],
    queryFn: ({ signal }): Promise<SelectedModel> =>
      bodyOf(api.GET('/model-selection/{projectId}', { params: { path: { projectId: projectId ?? '' } }, signal })),
    enabled: projectId !== undefined,
  });
}
