// What an installation has to hold whatever the values are, and what the code and the configuration have to agree on. The resources
// are those of the state after an apply, where a plan would leave open what Google decides.
//
//   plan-check.mjs PLAN.json STATE.json ROOT
import fs from 'node:fs';
import path from 'node:path';

const [planFile, stateFile, root] = process.argv.slice(2);
const plan = JSON.parse(fs.readFileSync(planFile, 'utf8'));
const problems = [];
const hold = (condition, problem) => condition || problems.push(problem);

const resources = [];
const collect = (module) => {
  resources.push(...(module.resources ?? []));
  (module.child_modules ?? []).forEach(collect);
};
collect(JSON.parse(fs.readFileSync(stateFile, 'utf8')).values.root_module);
const all = (type) => resources.filter((resource) => resource.type === type);
const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');

// The topics of the code are those of the plan.
const topics = [...read('shared/Runs/Messages.cs').matchAll(/public const string \w+ = "([a-z-]+-[a-z-]+)";/g)].map((match) => match[1]);
const made = all('google_pubsub_topic').map((topic) => topic.values.name);
for (const topic of topics) {
  hold(made.includes(topic), `topic ${topic} of Messages.cs is not made`);
  hold(made.includes(`${topic}-dead`), `topic ${topic} has no dead letters`);
}
hold(made.length === 2 * topics.length, `${made.length} topics are made, and the code has ${topics.length}`);

for (const { address, values } of all('google_pubsub_subscription')) {
  hold(values.expiration_policy?.[0]?.ttl === '', `${address} expires when nothing comes for a while`);
  if (values.name.endsWith('-dead')) continue;
  hold(values.dead_letter_policy?.length === 1, `${address} delivers for ever`);
  hold(values.retry_policy?.length === 1, `${address} delivers again at once`);
  hold(values.push_config?.[0]?.oidc_token?.[0]?.audience, `${address} pushes without a token for its audience`);
}

const services = all('google_cloud_run_v2_service');
hold(services.length === 6, `${services.length} functions are made, not 6`);
for (const { address, values } of services) {
  const container = values.template[0].containers.find((each) => each.name === 'function');
  const environment = Object.fromEntries(container.env.map((each) => [each.name, each.value]));
  hold(values.ingress !== 'INGRESS_TRAFFIC_ALL', `${address} can be reached from everywhere`);
  hold(values.template[0].containers.every((each) => /@sha256:[0-9a-f]{64}$/.test(each.image)), `${address} has an image without a digest`);
  hold(!environment.Database__ConnectionString, `${address} shows its connection string`);
  if (!values.name.endsWith('admin-api')) {
    hold(values.ingress === 'INGRESS_TRAFFIC_INTERNAL_ONLY', `${address} takes more than internal traffic`);
    hold(environment.Push__Audience, `${address} does not say which audience it takes`);
  }
}
const audiences = services.flatMap(({ values }) => values.template[0].containers.flatMap((each) => each.env ?? [])).filter((each) => each.name === 'Push__Audience').map((each) => each.value);
hold(new Set(audiences).size === audiences.length, 'two functions have the same audience: a push to one is a push to both');

// A push is taken: its address, audience and account are the function's own.
const environments = services.map(({ values }) => ({
  uri: values.uri,
  ...Object.fromEntries(values.template[0].containers.flatMap((each) => each.env ?? []).map((each) => [each.name, each.value])),
}));
for (const { address, values } of all('google_pubsub_subscription').filter((each) => each.values.push_config?.length)) {
  const [push] = values.push_config;
  const to = environments.find((each) => push.push_endpoint.startsWith(`${each.uri}/projects/`));
  hold(to, `${address} pushes to ${push.push_endpoint}, where no function is`);
  hold(to?.Push__Audience === push.oidc_token[0].audience, `${address}: its audience is not what its function takes`);
  hold(to?.Push__ServiceAccount === push.oidc_token[0].service_account_email, `${address}: its account is not whose pushes its function takes`);
  hold(push.push_endpoint.endsWith(`/topics/${values.name}`), `${address}: its function would take its messages for another topic's`);
}

// Whoever opens, writes, copies or deletes datasets may.
const steps = { AdminApiFunction: 'admin-api', ExportFunction: 'export', ExtractFunction: 'extract', PollTuningFunction: 'poll-tuning', ScheduleTickFunction: 'schedule-tick', TrainFunction: 'train' };
const granted = (type, step) => all(type).filter(({ values }) => values.member.startsWith(`serviceAccount:feedback-loop-${step}@`)).map(({ values }) => values.role);
const filesOf = (folder) => fs.readdirSync(path.join(root, 'functions', folder), { recursive: true }).map(String)
  .filter((file) => file.endsWith('.cs') && !/^(bin|obj)\//.test(file)).map((file) => read(`functions/${folder}/${file}`)).join('\n');
const needed = { OpenReadAsync: /objectViewer|objectUser/, CreateAsync: /objectCreator|objectUser/, CopyAsync: /objectCreator|objectUser/, DeleteAsync: /objectUser/ };
for (const [folder, step] of Object.entries(steps)) {
  const text = filesOf(folder);
  const roles = granted('google_storage_bucket_iam_member', step);
  for (const store of new Set([...text.matchAll(/IDatasetStore (\w+)/g)].map((match) => match[1]))) {
    for (const [call, role] of Object.entries(needed)) {
      hold(!new RegExp(`\\b${store}\\.${call}\\(`).test(text) || roles.some((each) => role.test(each)), `${folder} calls ${call} on datasets, and ${step} has only ${roles}`);
    }
    hold(roles.length > 0, `${folder} uses datasets, and ${step} has no right on the bucket`);
  }
  const sends = /OutboxRelay|AddScheduling\(\)/.test(text);
  const publishes = all('google_pubsub_topic_iam_member').filter(({ values }) => values.role === 'roles/pubsub.publisher' && values.member.includes(`:feedback-loop-${step}@`)).length;
  const wanted = sends ? 4 + (/IMessagePublisher[^]*Topics\.ExtractionRequested/.test(text) ? 1 : 0) : 0;
  hold(publishes === wanted, `${folder} sends to ${wanted} topics, and ${step} may publish to ${publishes}`);
}

// Every setting that is given exists.
const options = fs.readdirSync(root, { recursive: true }).map(String)
  .filter((file) => /^(shared|functions)\/.*(Options|BaseModelCatalogue)\.cs$/.test(file) && !/\/(bin|obj)\//.test(file));
const known = new Set(options.flatMap((file) => {
  const text = read(file);
  const section = text.match(/const string Section = "(\w+)"/)?.[1];
  return section ? [...text.matchAll(/public [\w<>?]+ (\w+) \{ get; (?:init|set); \}/g)].map((match) => `${section}__${match[1]}`) : [];
}));
for (const { address, values } of services) {
  for (const { name } of values.template[0].containers.flatMap((each) => each.env ?? [])) {
    hold(known.has(name) || /^OTEL_[A-Z_]+$/.test(name), `${address} sets ${name}, which no options class has`);
  }
}

// Roles on the project that open more than a step needs.
for (const { address, values } of all('google_project_iam_member')) {
  hold(!/roles\/(owner|editor|viewer)$|\.admin$/.test(values.role ?? ''), `${address} grants ${values.role}`);
}
const creators = all('google_project_iam_member').filter(({ values }) => values.role === 'roles/aiplatform.user');
hold(creators.length === 1, `${creators.length} accounts can make tuning jobs`);
const borrowers = all('google_service_account_iam_member').filter(({ values }) => values.role === 'roles/iam.serviceAccountTokenCreator');
hold(borrowers.length === 1, `${borrowers.length} accounts can act as another`);

// The clocks are those that `feedbackloop schedule sync-jobs` makes.
const ticks = read('shared/Scheduling/TickJob.cs');
for (const { address, values } of all('google_cloud_scheduler_job')) {
  for (const value of [values.name, values.description, values.schedule, values.time_zone]) {
    hold(ticks.includes(`"${value}"`), `${address}: '${value}' is not in TickJob.cs`);
  }
  hold(values.retry_config?.[0]?.retry_count === 3, `${address}: sync-jobs sets three repeats`);
  hold(Buffer.from(values.pubsub_target[0].data, 'base64').toString() === '{}', `${address}: sync-jobs sends {}`);
  hold(topics.includes(values.pubsub_target[0].attributes.message), `${address}: the attribute names no topic`);
}

// Alerts on log lines: somebody still writes them.
const sources = fs.readdirSync(root, { recursive: true }).map(String)
  .filter((file) => /^(shared|functions)\/.*\.cs$/.test(file) && !/\/(bin|obj)\//.test(file)).map(read).join('\n')
  .replace(/"\s*\+\s*\$?"/g, '');
for (const { address, values } of all('google_logging_metric')) {
  const sentence = values.filter.match(/jsonPayload\.message:"([^"]+)"/)[1];
  const level = { CRITICAL: 'Critical', ERROR: 'Error', WARNING: 'Warning' }[values.filter.match(/severity=(\w+)/)[1]];
  const written = [...sources.matchAll(/LoggerMessage\(\s*Level = LogLevel\.(\w+),\s*Message = "([^"]*)"/g)];
  hold(written.some(([, at, message]) => at === level && message.includes(sentence)), `${address}: no line at ${level} says '${sentence}'`);
}

// Alerts and charts on the functions' own metrics: docs/telemetry.md names them, and the page is held to the code by a test.
const telemetry = read('docs/telemetry.md');
const queries = [
  ...all('google_monitoring_alert_policy').flatMap(({ values }) => values.conditions.flatMap((each) => each.condition_prometheus_query_language ?? []).map((each) => each.query)),
  ...all('google_monitoring_dashboard').map(({ values }) => values.dashboard_json),
];
for (const name of new Set(queries.flatMap((query) => query.match(/\b(?:feedback_loop|gen_ai)_[A-Za-z_]+/g) ?? []))) {
  hold(new RegExp(`\\b${name}\\b`).test(telemetry), `a query reads ${name}, which docs/telemetry.md does not have`);
}

// Whoever is woken by an alert finds what to do under its name.
const operations = read('docs/operations.md');
for (const { address, values } of all('google_monitoring_alert_policy')) {
  hold(operations.includes(`\n### ${values.display_name}\n`), `${address}: docs/operations.md has nothing on '${values.display_name}'`);
}

// The retirement that is watched is the catalogue's.
const catalogue = JSON.parse(read('functions/appsettings.json')).BaseModels.Models;
const chosen = catalogue.find((model) => model.Id === plan.variables.base_model.value);
for (const { values } of all('google_monitoring_alert_policy').filter((each) => each.name === 'base_model_retires')) {
  const at = values.conditions.map((each) => Number(each.condition_prometheus_query_language[0].query.match(/> (\d+)$/)[1]));
  const wanted = [90, 60, 30].map((days) => Date.parse(`${chosen.RetiresOn}T00:00:00Z`) / 1000 - days * 86400);
  hold(at.toSorted().join() === wanted.toSorted().join(), `retirement is watched at ${at}, not at ${wanted}`);
}

for (const [index, { values }] of all('google_monitoring_dashboard').entries()) {
  fs.writeFileSync(`${planFile}.dashboard-${index}.json`, values.dashboard_json);
}
for (const problem of problems) console.log(problem);
process.exit(problems.length ? 1 : 0);
