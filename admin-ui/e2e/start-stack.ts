import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { People, Api } from './api';
import { Product } from './product';

const patience = 10 * 60_000;

/** The whole local installation, with a state of its own that goes when the tests are over. */
export default async function startStack(): Promise<() => Promise<void>> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  // Others may enter: PostgreSQL does not run as root.
  const state = join(tmpdir(), `admin-ui-e2e-${process.pid}`);
  mkdirSync(state, { mode: 0o755 });
  const program = process.env.LOCAL_RUN ?? join(root, 'local/Run/bin/Release/net10.0/LocalRun.dll');
  const stack = spawn('dotnet', [program, '--state', state, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, AdminApi__StartsPerMinute: '100' },
  });
  const stop = async () => {
    if (stack.exitCode === null && stack.signalCode === null) {
      stack.kill('SIGTERM');
      await once(stack, 'exit');
    }

    rmSync(state, { recursive: true, force: true });
  };

  try {
    Object.assign(process.env, await addresses(stack));
    process.env.STACK_PID = String(stack.pid);
    await prepare();
  } catch (error) {
    await stop();
    throw error;
  }

  return stop;
}

/** A general model, which a project model can go on from, extractions by what there was before it, a long history. */
async function prepare(): Promise<void> {
  const api = await Api.signIn(People.organizationAdmin);
  const { organization, projects } = await api.places();
  await Product.act(async (product) => {
    const logistics = projects.logistics ?? '';
    await product.extractAndReview(logistics, 'base', 16);
    await api.train('general', organization, { epochs: 2 });
    await product.addSkippedTrainings(logistics, 13);
  });
}

/** What the installation prints, by the name that the tests know it by. */
const printed = {
  UI_ADDRESS: /^Admin UI\s+(\S+)\//,
  PEOPLE_ADDRESS: /^People\s+(\S+)\//,
  PUSH_TOKENS: /^Push tokens\s+(\S+)\//,
  EXTRACT_FUNCTION: /^ExtractFunction\s+(\S+)\//,
  DATABASE: /^Database\s+(.+)$/,
};

function addresses(stack: ChildProcess): Promise<Record<string, string>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the local installation did not start in time')), patience);
    const found: Record<string, string> = {};
    stack.once('exit', (code) => reject(new Error(`the local installation ended with ${code}`)));
    // Read to its end: a full pipe would stop the program.
    createInterface({ input: stack.stdout ?? process.stdin }).on('line', (line) => {
      for (const [name, pattern] of Object.entries(printed)) {
        const value = pattern.exec(line)?.[1];
        if (value) {
          found[name] ??= value;
        }
      }

      if (line.startsWith('Serving')) {
        clearTimeout(timer);
        resolve(found);
      }
    });
  });
}
