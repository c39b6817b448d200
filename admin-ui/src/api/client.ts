import createClient from 'openapi-fetch';
import { ApiProblem, readProblem } from './problem';
import type { paths } from './schema';

/** Where the API of this page is. */
export const apiRoot = '/api';

let accessToken: string | undefined;
let onUnauthenticated: () => void = () => undefined;

/** Whose requests these are from now on. */
export function setCaller(token: string | undefined, whenRefused: () => void): void {
  accessToken = token;
  onUnauthenticated = whenRefused;
}

/** `fetch` with the caller's token; what goes wrong before there is an answer is a problem too. */
export async function fetchFromApi(input: Request): Promise<Response> {
  if (accessToken) {
    input.headers.set('Authorization', `Bearer ${accessToken}`);
  }

  let response: Response;
  try {
    response = await fetch(input);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') {
      throw error;
    }

    throw new ApiProblem({
      type: 'network',
      title: 'The server does not answer',
      detail: 'Either it is not running, or this computer is offline. What you see may be out of date.',
    });
  }

  if (response.status === 401) {
    onUnauthenticated();
  }

  return response;
}

// Addresses are absolute because a Request outside a browser takes no others.
export const api = createClient<paths>({
  baseUrl: `${globalThis.location.origin}${apiRoot}`,
  fetch: fetchFromApi,
});

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/**
 * The body of an answer.
 * @throws {ApiProblem} when the API refused.
 */
export async function bodyOf<T>(request: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await request;
  if (response.ok && data !== undefined) {
    return data;
  }

  throw readProblem(response.status, error);
}
