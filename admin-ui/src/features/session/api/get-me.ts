import { useQuery } from '@tanstack/react-query';
import { api, bodyOf } from '@/api/client';
import type { Me, Scope } from '@/api/types';

/** Who is asking, with the organizations and projects that the person may see. */
export function useMe() {
  return useQuery({
    queryKey: ['me'],
    queryFn: ({ signal }) => bodyOf(api.GET('/me', { signal })),
    staleTime: 60_000,
  });
}

export interface Place {
  name: string;
  organizationId: string;
  organizationName: string;
  mayChange: boolean;
}

/** @returns Undefined for what the person may not know of. */
export function placeOf(me: Me, scope: Scope): Place | undefined {
  for (const organization of me.organizations) {
    const common = { organizationId: organization.id, organizationName: organization.name };
    if (scope.kind === 'organization' && organization.id === scope.id && organization.role !== null) {
      return { ...common, name: organization.name, mayChange: organization.role === 'admin' };
    }

    const project = organization.projects.find((each) => scope.kind === 'project' && each.id === scope.id);
    if (project) {
      return { ...common, name: project.name, mayChange: project.role === 'admin' };
    }
  }

  return undefined;
}
