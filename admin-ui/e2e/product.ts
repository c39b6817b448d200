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
   * Has chunks of a project extracted by the model of a tier, and reviews what came of it as a person who knows the verified
   * objects of the same chunk: what is among them is accepted, everything else rejected.
   */
  async extractAndReview(project: string, tier: string, chunks: number): Promise<void> {
    // Which model is chosen is looked up every 20 seconds.
    while ((await this.#extract(project, 1)).tier !== tier) {
      await new Promise((resolve) => setTimeout(resolve, 500));
    }

    const { jobs } = await this.#extract(project, chunks);
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

  async #extract(project: string, chunks: number): Promise<{ jobs: string[]; tier: string | undefined }> {
    const { rows } = await this.#database.query<{ id: string }>(
      `insert into kb.object_extraction_jobs (project_id, document_id, chunk_id, source_type, source_id)
       select $1, c.document_id, c.id, 'chunk', c.id::text
       from   kb.chunks c
       join   kb.documents d on d.id = c.document_id
       where  d.project_id = $1
       and    c.deleted_at is null
       order  by c.id
       limit  $2
       returning id`,
      [project, chunks],
    );
    const jobs = rows.map(({ id }) => id);
    await Promise.all(jobs.map(requestExtraction));
    const results = await this.#database.query<{ answered_tier: string }>(
      'select answered_tier from ml.extraction_results where job_id = any ($1) limit 1',
      [jobs],
    );
    return { jobs, tier: results.rows[0]?.answered_tier };
  }

  /** A project of another organization with so many reviewed texts, all of today. @returns Its id. */
  async addYoungProject(organization: string, texts: number, name = 'young'): Promise<string> {
    const { rows } = await this.#database.query<{ project_id: string }>(
      `with project as (
           insert into kb.projects (organization_id, name)
           select id, $3 from kb.orgs where name = $1
           returning id),
       document as (
           insert into kb.documents (project_id, filename, mime_type)
           select id, n || '.txt', 'text/plain' from project, generate_series(1, $2::int) n
           returning id, project_id),
       chunk as (
           insert into kb.chunks (document_id, chunk_index, text)
           select id, 0, 'The Ledger of ' || id || ' books payments.' from document
           returning id, document_id),
       job as (
           insert into kb.object_extraction_jobs (project_id, document_id, chunk_id, source_type, source_id, status)
           select d.project_id, d.id, c.id, 'document', d.id::text, 'completed'
           from   chunk c
           join   document d on d.id = c.document_id
           returning id, project_id)
       insert into kb.graph_objects (project_id, type, canonical_id, properties, status, extraction_job_id, reviewed_by)
       select j.project_id, 'System', gen_random_uuid(),
              '{"name": "Ledger", "description": "It books every payment of the bank."}', 'accepted', j.id,
              (select id from core.user_profiles order by id limit 1)
       from   job j
       returning project_id`,
      [organization, texts, name],
    );
    return rows[0]?.project_id ?? '';
  }

  /** A training that waits for an approval, without the steps that lead there. @returns Its id. */
  async addWaitingTraining(project: string, usd: number): Promise<string> {
    await this.#database.query('set session_replication_role = replica');
    const { rows } = await this.#database.query<{ id: string }>(
      `insert into ml.training_runs (
           id, organization_id, project_id, purpose, trigger, requested_by, parameters, version, state, reason,
           not_before, deadline_at, dataset_id, approval_asked_usd, created_at, updated_at)
       select gen_random_uuid(), p.organization_id, p.id, 'training', 'threshold', 'schedule:threshold', r.parameters,
              r.version + 1, 'awaiting_approval',
              'the training is estimated at ' || $2 || ' USD, more than the 50.00 USD that may be spent without an approval',
              now(), now() + interval '7 days', gen_random_uuid(), $2::numeric, now(), now()
       from   kb.projects p
       cross  join (select parameters, version from ml.training_runs order by version desc limit 1) r
       where  p.id = $1
       returning id`,
      [project, usd.toFixed(2)],
    );
    await this.#database.query('set session_replication_role = origin');
    return rows[0]?.id ?? '';
  }

  /** What people did with a run, oldest first. */
  async auditOf(run: string): Promise<string[]> {
    const { rows } = await this.#database.query<{ entry: string }>(
      `select action || ': ' || reason as entry from ml.audit_log where subject = 'run ' || $1 order by id`,
      [run],
    );
    return rows.map(({ entry }) => entry);
  }

  /** @returns The verdict before. */
  async setVerdict(project: string, version: number, verdict: string): Promise<string> {
    const { rows } = await this.#database.query<{ verdict: string }>(
      `update ml.fine_tuned_models m
       set    verdict = $3
       from   ml.fine_tuned_models old
       where  old.id = m.id and m.project_id = $1 and m.version = $2
       returning old.verdict`,
      [project, version, verdict],
    );
    return rows[0]?.verdict ?? '';
  }

  /** Trainings like the last one that were skipped, one on each day before today, without the steps that lead there. */
  async addSkippedTrainings(project: string, number: number): Promise<void> {
    await this.#database.query('set session_replication_role = replica');
    await this.#database.query(
      `insert into ml.training_runs (
           id, organization_id, project_id, purpose, trigger, requested_by, parameters, version, state, reason,
           not_before, deadline_at, created_at, updated_at, ended_at)
       select gen_random_uuid(), p.organization_id, p.id, 'training', 'threshold', 'schedule:threshold', r.parameters,
              r.version + n, 'skipped', n || ' of 50 examples', at, at, at, at, at
       from   kb.projects p
       cross  join (select parameters, version from ml.training_runs order by version desc limit 1) r
       cross  join generate_series(1, $2::int) n
       cross  join lateral (select now() - n * interval '1 day' as at) t
       where  p.id = $1`,
      [project, number],
    );
    await this.#database.query('set session_replication_role = origin');
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
    // Who may set up what usually comes about by itself.
    user: 'postgres',
  };
}
