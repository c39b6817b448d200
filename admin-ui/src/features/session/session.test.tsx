import { screen, waitFor } from '@testing-library/react';
import { ErrorResponse, type User } from 'oidc-client-ts';
import { useState } from 'react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { api } from '@/api/client';
import type { ApiProblem } from '@/api/problem';
import { show } from '@/test/render';
import { SessionProvider } from './components/session-provider';
import { useSession } from './session';

type Handler = () => void;

const handlers: { soon?: Handler; late?: Handler } = {};
const login = {
  getUser: vi.fn<() => Promise<User>>(),
  signinSilent: vi.fn<() => Promise<User>>(),
  signinPopup: vi.fn<() => Promise<User>>(),
  removeUser: vi.fn(() => Promise.resolve()),
  events: {
    addAccessTokenExpiring: (handler: Handler) => ((handlers.soon = handler), vi.fn()),
    addAccessTokenExpired: (handler: Handler) => ((handlers.late = handler), vi.fn()),
  },
};
vi.mock('./api/login', () => ({
  createLogin: () => Promise.resolve(login),
  isReturn: () => false,
  isSignInWindow: () => false,
}));

/** Tokens that the API takes. */
let good: string[];
let sent: { token: string | null; body: string }[];

beforeEach(() => {
  good = ['first'];
  sent = [];
  vi.resetAllMocks();
  vi.stubGlobal('fetch', async (request: Request) => {
    const token = request.headers.get('Authorization')?.replace('Bearer ', '') ?? null;
    sent.push({ token, body: await request.text() });
    return token !== null && good.includes(token) ? Response.json({}) : Response.json({ title: 'No' }, { status: 401 });
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

function aUser(token: string, sub = 'olivia', refresh_token?: string): User {
  return { access_token: token, refresh_token, expired: false, profile: { sub } } as unknown as User;
}

/** Something that one types into, and saves. */
function Page() {
  const { subject } = useSession();
  const [text, setText] = useState('');
  const [saved, setSaved] = useState('');
  const save = async () => {
    try {
      const { response } = await api.POST('/fine-tuning/runs/{id}/cancel', {
        params: { path: { id: 'run' } },
        body: { reason: text },
      });
      setSaved(response.ok ? 'saved' : 'refused');
    } catch (error) {
      setSaved((error as ApiProblem).title);
    }
  };
  return (
    <>
      <p>{subject}</p>
      <input aria-label="Text" value={text} onChange={(event) => setText(event.currentTarget.value)} />
      <button onClick={() => void save()}>Save</button>
      <output>{saved}</output>
    </>
  );
}

async function page(user: User) {
  login.getUser.mockResolvedValue(user);
  const view = show(
    <SessionProvider>
      <Page />
    </SessionProvider>,
  );
  await view.user.type(await screen.findByLabelText('Text'), 'what I typed');
  return view;
}

it('renews before the token expires, and nobody sees it', async () => {
  const { user } = await page(aUser('first', 'olivia', 'refresh'));
  login.signinSilent.mockResolvedValue(aUser('second', 'olivia', 'refresh-2'));
  good = ['second'];
  handlers.soon?.();
  await waitFor(() => expect(login.signinSilent).toHaveBeenCalledOnce());
  await user.click(screen.getByText('Save'));
  expect(await screen.findByText('saved')).toBeInTheDocument();
  expect(sent.map(({ token }) => token)).toEqual(['second']);
});

it('renews once when a token is refused that was to be renewed anyhow', async () => {
  const { user } = await page(aUser('first', 'olivia', 'refresh'));
  good = ['second'];
  login.signinSilent.mockImplementation(
    () => new Promise((resolve) => setTimeout(() => resolve(aUser('second', 'olivia', 'refresh-2')), 50)),
  );
  handlers.soon?.();
  await user.click(screen.getByText('Save'));
  expect(await screen.findByText('saved')).toBeInTheDocument();
  expect(login.signinSilent).toHaveBeenCalledOnce();
});

it('keeps what was typed and what was sent until the person has signed in again', async () => {
  const { user } = await page(aUser('first'));
  good = ['second'];
  await user.click(screen.getByText('Save'));
  expect(await screen.findByRole('dialog', { name: 'Your session has ended' })).toBeInTheDocument();
  expect(login.signinSilent).not.toHaveBeenCalled();

  login.signinPopup.mockRejectedValueOnce(new Error('Popup closed by user'));
  await user.click(screen.getByRole('button', { name: 'Sign in again' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('You are not signed in yet');
  login.signinPopup.mockResolvedValueOnce(aUser('second'));
  await user.click(screen.getByRole('button', { name: 'Sign in again' }));

  expect(await screen.findByText('saved')).toBeInTheDocument();
  await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
  expect(screen.getByLabelText('Text')).toHaveValue('what I typed');
  expect(sent).toEqual([
    { token: 'first', body: '{"reason":"what I typed"}' },
    { token: 'second', body: '{"reason":"what I typed"}' },
  ]);
});

it('asks when the token expires and cannot be renewed', async () => {
  await page(aUser('first', 'olivia', 'used'));
  login.signinSilent.mockRejectedValue(new ErrorResponse({ error: 'invalid_grant' }));
  handlers.late?.();
  expect(await screen.findByRole('dialog', { name: 'Your session has ended' })).toBeInTheDocument();
});

it('does not take a login service that is away for the end of the session', async () => {
  const { user } = await page(aUser('first', 'olivia', 'refresh'));
  good = ['second'];
  login.signinSilent.mockRejectedValueOnce(new TypeError('Failed to fetch'));
  handlers.late?.();
  await waitFor(() => expect(login.signinSilent).toHaveBeenCalledOnce());
  login.signinSilent.mockRejectedValueOnce(new TypeError('Failed to fetch'));
  await user.click(screen.getByText('Save'));
  expect(await screen.findByText('The login service does not answer')).toBeInTheDocument();
  expect(screen.queryByRole('dialog')).not.toBeInTheDocument();

  login.signinSilent.mockResolvedValueOnce(aUser('second', 'olivia', 'refresh-2'));
  await user.click(screen.getByText('Save'));
  expect(await screen.findByText('saved')).toBeInTheDocument();
});

it('leaves nothing of one person to another who signs in instead', async () => {
  const { user } = await page(aUser('first'));
  good = ['second'];
  await user.click(screen.getByText('Save'));
  login.signinPopup.mockResolvedValueOnce(aUser('second', 'paul'));
  await user.click(await screen.findByRole('button', { name: 'Sign in again' }));
  expect(await screen.findByText('paul')).toBeInTheDocument();
  expect(screen.getByLabelText('Text')).toHaveValue('');
  expect(sent).toHaveLength(1);
});

it('lets a person go who does not want to sign in again', async () => {
  const { user } = await page(aUser('first'));
  good = [];
  await user.click(screen.getByText('Save'));
  await user.click(await screen.findByRole('button', { name: 'Leave this page' }));
  expect(await screen.findByRole('button', { name: 'Sign in' })).toBeInTheDocument();
  expect(login.removeUser).toHaveBeenCalledOnce();
});
