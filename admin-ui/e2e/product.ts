import { Client } from 'pg';

/** In place of the product: its tables, and the message that has a job extracted. */
export class Product {
  readonly #database: Client;

  private constructor(database: Client) {
    this.#database = database;
  }

  /** Does something as the product, on the installation of this test run. */
  static async act<T>(action: (product: Product) => Promise<T>): Promise<T> {
    const database = new Client(connection(process.env.DATABASE ?? ''));
    await database.connect();
    try {
      return await action(new Product(database));
    } finally {
      await database.end();
    }
  }

  /**
   * Has chunks of a project extracted by the model that is chosen for it, and reviews what came of it as a person who knows
   * the verified objects of the same chunk: what is among them is accepted, everything else rejected.
   */
  async extractAndReview(project: string, chunks: number): Promise<void> {
    const { rows } = await this.#database.query<{ id: string }>(
      `insert into kb.object_extraction_jobs (project_id, document_id, chunk_id, source_type, source_id)
       select j.project_id, c.document_id, c.id, 'chunk', c.id::text
       from   (select distinct project_id, chunk_id from kb.object_extraction_jobs where project_id = $1) j
       join   kb.chunks c on c.id = j.chunk_id
       order  by c.id
       limit  $2
       returning id`,
      [project, chunks],
    );
    const jobs = rows.map(({ id }) => id);
    await Promise.all(jobs.map(requestExtraction));
    await this.#database.query(
      `update kb.graph_objects o
       set    reviewed_by = (select id from core.user_profiles order by id limit 1), needs_review = false,
              status = case when exists (
                           select 1
                           from   kb.object_extraction_jobs j
                           join   kb.object_extraction_jobs k on k.chunk_id = j.chunk_id and k.id <> all ($1)
                           join   kb.graph_objects known on known.extraction_job_id = k.id
                           where  j.id = o.extraction_job_id
                           and    known.reviewed_by is not null
                           and    known.type = o.type
                           and    lower(known.properties ->> 'name') = lower(o.properties ->> 'name'))
                       then 'accepted' else 'rejected' end
       where  o.extraction_job_id = any ($1)`,
      [jobs],
    );
  }

  async query<T extends object>(sql: string, values: unknown[] = []): Promise<T[]> {
    return (await this.#database.query<T>(sql, values)).rows;
  }
}

/** What Pub/Sub does with the product's message: a push, with a token of its account. It is answered when the job is done. */
async function requestExtraction(jobId: string): Promise<void> {
  const account = 'push@local-project.iam.gserviceaccount.com';
  const identity = await post(`${process.env.PUSH_TOKENS}/v1/projects/-/serviceAccounts/${account}:generateIdToken`, {
    audience: 'https://extractfunction.local-project',
    includeEmail: true,
  });
  const { token } = (await identity.json()) as { token: string };
  await post(
    `${process.env.EXTRACT_FUNCTION}/projects/local-project/topics/extraction-requested`,
    {
      message: {
        messageId: jobId,
        publishTime: new Date().toISOString(),
        attributes: { message: 'extraction-requested' },
        data: Buffer.from(JSON.stringify({ jobId })).toString('base64'),
      },
      subscription: 'projects/local-project/subscriptions/extraction-requested',
    },
    { Authorization: `Bearer ${token}` },
  );
}

async function post(address: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  if (!response.ok) {
    throw new Error(`POST ${address} answered ${response.status} ${await response.text()}`);
  }

  return response;
}

/** Npgsql's form to that of the driver here. */
function connection(text: string) {
  const part = (name: string) => new RegExp(`(?:^|;)${name}=([^;]*)`, 'i').exec(text)?.[1];
  return {
    host: part('Host'),
    port: Number(part('Port')),
    database: part('Database'),
    user: part('Username'),
    password: part('Password'),
  };
}
