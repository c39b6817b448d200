import type { Scope } from '@/api/types';

/** The page of a scope. */
export function pathOf(scope: Scope): string {
  return scope.kind === 'project'
    ? `/projects/${scope.id}/settings/ai-training`
    : `/organizations/${scope.id}/settings/ai-training`;
}
