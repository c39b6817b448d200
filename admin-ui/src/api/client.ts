import createClient from 'openapi-fetch';
import { ApiProblem, readProblem } from './problem';
import type { paths } from './schema';

/** Where the API of this page is. */
export const apiRoot = '/api';

/** Whose requests these are. */
export interface Caller {
  readonly token: string;

  /** @returns A token in place of one that was refused, however long it takes; undefined when there will be none. */
  renew: (refused: string) => Promise<string | undefined>;
}

let caller: Caller | undefined;

export function setCaller(next: Caller | undefined): void {
  caller = next;
}

/**
 * `fetch` with the caller's token. When the session has ended, a request waits until it goes on, and is sent again: nothing
 * that somebody has typed is lost.
 */
export async function fetchFromApi(input: Request): Promise<Response> {
  const asker = caller;
  if (!asker) {
    return send(input, undefined);
  }

  const { token } = asker;
  const again = input.clone();
  const response = await send(input, token);
  const renewed = response.status === 401 ? await asker.renew(token) : undefined;
  return renewed === undefined ? response : send(again, renewed);
}

/** What goes wrong before there is an answer is a problem too. */
async function send(input: Request, token: string | undefined): Promise<Response> {
  if (token) {
    input.headers.set('Authorization', `Bearer ${token}`);
  }

  try {
    return await fetch(input);
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
