import { ApiProblem } from '@/api/problem';

/** What went wrong on the way to the login service. */
export function asProblem(error: unknown): ApiProblem {
  return error instanceof ApiProblem
    ? error
    : new ApiProblem({
        type: 'network',
        title: 'The login service does not answer',
        detail: error instanceof Error ? error.message : 'It gave no reason.',
      });
}
