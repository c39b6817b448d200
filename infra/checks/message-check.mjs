// Holds a JSON or YAML document against a protobuf message, strictly: unknown fields, enums, durations, alternatives. The messages are
// the protos.json of Google's own npm clients. Prints a line for each problem; exit code 1 when there is any.
//
//   message-check.mjs PROTOS MESSAGE FILE
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { parse } from 'yaml';

const wellKnown = /^\.?(?:google\.protobuf\.)?(Duration|Timestamp|Struct|Value|ListValue|Any|Empty|FieldMask|\w+Value)$/;
const number = /^(?:u|s)?(?:int|fixed)(?:32|64)$|^sfixed(?:32|64)$|^float$|^double$/;
const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
const shown = (value) => JSON.stringify(value)?.slice(0, 60);

class Check {
  problems = [];

  constructor(protos) {
    this.root = protos;
  }

  say(path, problem) {
    this.problems.push(`${path || '(document)'}: ${problem}`);
  }

  // From the innermost scope outwards, as protobuf resolves names.
  find(scope, name) {
    const inner = scope.split('.').filter(Boolean);
    for (let length = inner.length; length >= 0; length--) {
      const full = [...inner.slice(0, length), ...name.replace(/^\./, '').split('.')];
      const found = full.reduce((node, part) => node?.nested?.[part], this.root);
      if (found?.fields || found?.values) return { full: full.join('.'), ...found };
    }
    return null;
  }

  message(value, scope, name, path) {
    if (wellKnown.test(name)) {
      if (name.endsWith('Duration') && !/^-?\d+(\.\d{1,9})?s$/.test(value)) this.say(path, `a duration is like "600s", not ${shown(value)}`);
      return;
    }
    const type = this.find(scope, name);
    if (type === null) return this.say(path, `unknown type ${name}`);
    if (type.values) {
      if (!(value in type.values)) this.say(path, `${shown(value)} is none of ${Object.keys(type.values).join(', ')}`);
      return;
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return this.say(path, `needs fields, and is ${shown(value)}`);
    this.alternatives(value, type, path);
    const fields = Object.fromEntries(Object.entries(type.fields).flatMap(([field, of]) => [[field, of], [camel(field), of]]));
    for (const [field, content] of Object.entries(value)) {
      const at = path ? `${path}.${field}` : field;
      const of = fields[field];
      if (!of) this.say(at, `${type.full} has no such field`);
      else if (/OUTPUT_ONLY/.test(JSON.stringify(of.options ?? {}))) this.say(at, 'is set by Google only');
      else this.field(content, type.full, of, at);
    }
  }

  alternatives(value, type, path) {
    for (const [name, of] of Object.entries(type.oneofs ?? {})) {
      const set = of.oneof.filter((field) => field in value || camel(field) in value);
      if (set.length > 1 && !name.startsWith('_')) this.say(path, `only one of ${set.join(', ')} can be set`);
    }
  }

  field(value, scope, of, path) {
    if (of.keyType) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return this.say(path, 'needs names with values');
      for (const [key, content] of Object.entries(value)) this.single(content, scope, of.type, `${path}.${key}`);
    } else if (of.rule === 'repeated') {
      if (!Array.isArray(value)) return this.say(path, `needs a list, and is ${shown(value)}`);
      value.forEach((content, index) => this.single(content, scope, of.type, `${path}[${index}]`));
    } else {
      this.single(value, scope, of.type, path);
    }
  }

  single(value, scope, type, path) {
    if (type === 'string' || type === 'bytes') {
      if (typeof value !== 'string') this.say(path, `needs text, and is ${shown(value)}: quote it`);
    } else if (type === 'bool') {
      if (typeof value !== 'boolean') this.say(path, `is true or false, not ${shown(value)}`);
    } else if (number.test(type)) {
      if (typeof value !== 'number' && !(typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value))) this.say(path, `needs a number, and is ${shown(value)}`);
    } else {
      this.message(value, scope, type, path);
    }
  }
}

const builtIn = new Set(
  `PROJECT_ID PROJECT_NUMBER BUILD_ID LOCATION TRIGGER_NAME TRIGGER_BUILD_CONFIG_PATH SERVICE_ACCOUNT SERVICE_ACCOUNT_EMAIL COMMIT_SHA
  REVISION_ID SHORT_SHA REPO_NAME REPO_FULL_NAME BRANCH_NAME TAG_NAME REF_NAME`.split(/\s+/),
);

// What Cloud Build asks of a build besides its fields.
function checkBuild(build, check) {
  const ids = new Set(['-']);
  const environment = [...(build.options?.env ?? [])];
  for (const [index, step] of (build.steps ?? []).entries()) {
    const at = `steps[${index}]`;
    if (!step.name) check.say(at, 'needs a name, its image');
    for (const id of step.waitFor ?? []) if (!ids.has(id)) check.say(`${at}.waitFor`, `no step before has the id ${id}`);
    if (step.id && ids.has(step.id)) check.say(`${at}.id`, `${step.id} is used twice`);
    if (step.id) ids.add(step.id);
    if (step.script && (step.args || step.entrypoint)) check.say(at, 'has a script, which excludes args and entrypoint');
    const shell = spawnSync('bash', ['-n'], { input: step.script ?? '', encoding: 'utf8' });
    if (shell.status !== 0) check.say(`${at}.script`, shell.stderr.trim());
    for (const name of step.secretEnv ?? []) {
      if (!build.availableSecrets?.secretManager?.some((secret) => secret.env === name)) check.say(`${at}.secretEnv`, `${name} is in no availableSecrets`);
    }
    const mapped = step.automapSubstitutions ?? build.options?.automapSubstitutions;
    for (const [, name] of (step.script ?? '').matchAll(/\$\{?(_[A-Z][A-Z0-9_]*)/g)) {
      if (!mapped && ![...environment, ...(step.env ?? [])].some((entry) => entry.startsWith(`${name}=`))) check.say(`${at}.script`, `$${name} is not replaced in a script`);
    }
  }

  const used = new Set();
  const walk = (value, path) => {
    if (typeof value === 'string') {
      for (const match of value.matchAll(/(?<!\$)\$\{?([A-Z_][A-Z0-9_]*)\}?/g)) {
        used.add(match[1]);
        if (match[1].startsWith('_') && !(match[1] in (build.substitutions ?? {}))) check.say(path, `$${match[1]} has no default in substitutions`);
        if (!match[1].startsWith('_') && !builtIn.has(match[1])) check.say(path, `$${match[1]} is nothing that Cloud Build replaces: write $$${match[1]} for the shell's`);
      }
    } else if (value && typeof value === 'object') {
      for (const [key, content] of Object.entries(value)) if (key !== 'script') walk(content, `${path}.${key}`);
    }
  };
  walk({ steps: build.steps, options: build.options, images: build.images, artifacts: build.artifacts, availableSecrets: build.availableSecrets }, 'build');
  const scripts = (build.steps ?? []).map((step) => step.script ?? '').join('\n');
  for (const name of Object.keys(build.substitutions ?? {})) {
    if (!/^_[A-Z][A-Z0-9_]*$/.test(name)) check.say(`substitutions.${name}`, 'is not like _NAME');
    if (!used.has(name) && !scripts.includes(name)) check.say(`substitutions.${name}`, 'is used nowhere');
  }
  if (!/^(CLOUD_LOGGING_ONLY|NONE)$/.test(build.options?.logging ?? '') && !build.logsBucket) check.say('options.logging', 'says where logs go, since the build has an account of its own');
}

const [protos, message, file] = process.argv.slice(2);
const check = new Check(JSON.parse(fs.readFileSync(protos, 'utf8')));
const document = parse(fs.readFileSync(file, 'utf8'), { strict: true, uniqueKeys: true });
check.message(document, '', message, '');
if (message.endsWith('.Build')) checkBuild(document, check);
for (const problem of check.problems) console.log(problem);
process.exit(check.problems.length ? 1 : 0);
