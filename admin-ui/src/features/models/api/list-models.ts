import { useQuery } from '@tanstack/react-query';
import { api, bodyOf } from '@/api/client';
import { scopeKey, type Scope } from '@/api/types';

/** The models of a scope itself, newest first: the last 50. */
export function useModels(scope: Scope) {
  return useQuery({
    queryKey: [...scopeKey(scope), 'models'],
    queryFn: async ({ signal }) => {
      const query =
        scope.kind === 'project' ? { projectId: scope.id } : { organizationId: scope.id, general: true };
      return (await bodyOf(api.GET('/fine-tuning/models', { params: { query: { ...query, limit: 50 } }, signal }))).items;
    },
  });
}

/** The models in use of an organization's projects that one may see. */
export function useProjectModels(organizationId: string) {
  return useQuery({
    queryKey: ['scope', 'organization', organizationId, 'project-models'],
    queryFn: async ({ signal }) => {
      const query = { organizationId, status: 'ready', limit: 200 };
      const page = await bodyOf(api.GET('/fine-tuning/models', { params: { query }, signal }));
      return page.items.filter((model) => model.projectId !== null);
    },
  });
}
