import type { components } from '../src/api/schema';

type Schemas = components['schemas'];

export const People = {
  organizationAdmin: 'local-organization-admin',
  projectAdmin: 'local-project-admin',
  member: 'local-member',
} as const;

/** What a test does beside the browser: as somebody else, or to have something to look at. */
export class Api {
  readonly #token: string;

  private constructor(token: string) {
    this.#token = token;
  }

  static async signIn(person: string): Promise<Api> {
    const response = await fetch(`${process.env.PEOPLE_ADDRESS}/token`, {
      method: 'POST',
      headers: { Accept: 'text/plain' },
      body: new URLSearchParams({ grant_type: 'password', username: person }),
    });
    return new Api(await response.text());
  }

  async send<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
    const response = await fetch(`${process.env.UI_ADDRESS}/api${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.#token}`, 'Content-Type': 'application/json', ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) {
      throw new Error(`${method} ${path} answered ${response.status} ${await response.text()}`);
    }

    return (await response.json()) as T;
  }

  async places(): Promise<{ organization: string; projects: Record<string, string> }> {
    const me = await this.send<Schemas['Me']>('GET', '/me');
    const [organization] = me.organizations;
    if (!organization) {
      throw new Error('the person is in no organization');
    }

    return {
      organization: organization.id,
      projects: Object.fromEntries(organization.projects.map((each) => [each.name, each.id])),
    };
  }

  /** Trains and waits for the end. */
  async train(kind: 'general' | 'project', id: string, tuning: Schemas['TuningInput']): Promise<void> {
    const scope = kind === 'general' ? { organizationId: id } : { projectId: id };
    const { href } = await this.send<Schemas['Started']>('POST', `/fine-tuning/train-${kind}`, { ...scope, tuning });
    for (;;) {
      const { run } = await this.send<Schemas['RunDetails']>('GET', href);
      if (run.isOver) {
        if (run.state !== 'succeeded') {
          throw new Error(`the training ended as ${run.state}: ${run.reason}`);
        }

        return;
      }

      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }

  async saveSchedule(projectId: string, settings: Partial<Schemas['ScheduleSettings']>): Promise<void> {
    const path = `/projects/${projectId}/training/schedule`;
    const { version } = await this.send<Schemas['ScheduleView']>('GET', path);
    await this.send('PUT', path, settings, { 'If-Match': `"${version}"` });
  }
}
