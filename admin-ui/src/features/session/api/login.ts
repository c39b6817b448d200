import { UserManager, WebStorageStateStore } from 'oidc-client-ts';
import { apiRoot, bodyOf, api } from '@/api/client';

/** Name of the window in which somebody signs in again. */
const signInWindow = 'ai-training-sign-in';

/** Where the issuer leads back to. */
const returnPath = '/signed-in';

/** The code flow with PKCE against the issuer that this installation names. */
export async function createLogin(): Promise<UserManager> {
  const settings = await bodyOf(api.GET('/ui-settings'));
  return new UserManager({
    authority: settings.authority,
    client_id: settings.clientId,
    scope: settings.scope,
    redirect_uri: `${location.origin}${returnPath}`,
    post_logout_redirect_uri: `${location.origin}/`,
    // Some issuers make tokens for an API only when they are told which.
    extraQueryParams: { audience: settings.audience },
    // Gone with the tab.
    userStore: new WebStorageStateStore({ store: sessionStorage }),
    stateStore: new WebStorageStateStore({ store: sessionStorage }),
    // The session's keeper does it, because it knows what to do when it fails.
    automaticSilentRenew: false,
    popupWindowTarget: signInWindow,
  });
}

/** Whether this address is the one that the issuer leads back to. */
export function isReturn(): boolean {
  return location.pathname === returnPath && new URLSearchParams(location.search).has('state');
}

/** Whether this is the window in which somebody signs in again; what it was given belongs to the one that opened it. */
export function isSignInWindow(): boolean {
  return window.opener !== null && window.name === signInWindow;
}

/** The page that somebody wanted before the login, as it was put into the login's state. */
export function wantedPage(state: unknown): string {
  return typeof state === 'string' && /^\/(?![/\\])/.test(state) && !state.startsWith(apiRoot) ? state : '/';
}
