import { ErrorResponse, type User, type UserManager } from 'oidc-client-ts';
import type { Caller } from '@/api/client';
import { asProblem } from './sign-in-problem';

type Login = Pick<UserManager, 'signinSilent' | 'events'>;

/**
 * Keeps the session of one person going: by a new token before the old one expires, and where that fails by asking the person.
 * Only a refresh token renews silently; browsers keep the issuer's cookies from a hidden frame.
 */
export class SessionKeeper implements Caller {
  readonly #login: Login;
  readonly #onOver: (isOver: boolean) => void;
  #user: User;
  #silent: Promise<string> | undefined;
  #renewal: Promise<string | undefined> | undefined;
  #goOn: ((token: string | undefined) => void) | undefined;

  /** @param onOver Is told when the person has to sign in again, and when that is done. */
  constructor(login: Login, user: User, onOver: (isOver: boolean) => void) {
    [this.#login, this.#user, this.#onOver] = [login, user, onOver];
  }

  get user(): User {
    return this.#user;
  }

  get token(): string {
    return this.#user.access_token;
  }

  /** @returns A function that ends it. */
  watch(): () => void {
    const { events } = this.#login;
    // Too early to bother anybody: what fails now is tried again when the token is refused.
    const soon = events.addAccessTokenExpiring(() => void this.#renewSilently().catch(() => undefined));
    const late = events.addAccessTokenExpired(() => void this.renew(this.token).catch(() => undefined));
    return () => {
      soon();
      late();
    };
  }

  /** @throws {ApiProblem} when the login service does not answer: the session is not over for that. */
  renew(refused: string): Promise<string | undefined> {
    if (refused !== this.token) {
      return Promise.resolve(this.token);
    }

    this.#renewal ??= this.#renewSilently()
      .catch((error: unknown) => {
        if (error instanceof ErrorResponse || !this.#user.refresh_token) {
          return this.#ask();
        }

        throw asProblem(error);
      })
      .finally(() => (this.#renewal = undefined));
    return this.#renewal;
  }

  /** The person has signed in again. */
  goOn(user: User): void {
    this.#user = user;
    this.#settle(user.access_token);
  }

  /** The person has not: what waits is over. */
  end(): void {
    this.#settle(undefined);
  }

  // A refresh token is good once.
  #renewSilently(): Promise<string> {
    this.#silent ??= this.#useRefreshToken().finally(() => (this.#silent = undefined));
    return this.#silent;
  }

  async #useRefreshToken(): Promise<string> {
    const user = this.#user.refresh_token ? await this.#login.signinSilent() : null;
    if (!user) {
      throw new Error('there is nothing to renew the session with');
    }

    this.#user = user;
    return user.access_token;
  }

  #ask(): Promise<string | undefined> {
    this.#onOver(true);
    return new Promise((resolve) => (this.#goOn = resolve));
  }

  #settle(token: string | undefined): void {
    this.#onOver(false);
    this.#goOn?.(token);
    this.#goOn = undefined;
  }
}
