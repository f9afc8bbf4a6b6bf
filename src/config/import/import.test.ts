import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { ImportResult } from './draft.ts';
import { importableSystems } from './systems.ts';
import { loadImported } from './verify-import.ts';

const fixtures = resolve(import.meta.dirname, '../../../test/fixtures/import');

function systemOf(name: string) {
  const system = importableSystems.find((one) => one.name === name);
  if (system === undefined) throw new Error(`No system ${name}`);
  return system;
}

function textOf(file: string | undefined) {
  return file === undefined ? undefined : { file, text: readFileSync(join(fixtures, file), 'utf8') };
}

function importText(name: string, text: string, env?: string): ImportResult {
  const main = { file: 'f', text };
  return systemOf(name).run({ main, env: env === undefined ? undefined : { file: 'env', text: env } });
}

function imported(name: string, text: string, env?: string): Extract<ImportResult, { ok: true }> {
  const result = importText(name, text, env);
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join());
  expect(loadImported(result)).toMatchObject({ ok: true });
  return result;
}

describe('an import of', () => {
  test.each([
    ['nomyo', 'nomyo.yaml', 'nomyo.env', 'nomyo'],
    ['nomyo', 'nomyo-minimal.yaml', undefined, 'nomyo-minimal'],
    ['llamacpp-ha', 'llamacpp-ha.json', undefined, 'llamacpp-ha'],
    ['ollama-lb', 'ollama-lb.env', undefined, 'ollama-lb'],
    ['ollama-lb', 'ollama-lb-compose.yml', undefined, 'ollama-lb-compose'],
    ['ollama-lb', undefined, undefined, 'ollama-lb-defaults'],
  ])('%s %s gives the expected configuration and notes, and shows no secret', (name, file, env, expected) => {
    const result = systemOf(name).run({ main: textOf(file), env: textOf(env) });
    if (!result.ok) throw new Error('The fixture is good');
    expect(loadImported(result)).toMatchObject({ ok: true, warnings: expect.any(Array) });
    const { yaml, ...rest } = result;
    expect(yaml).toBe(readFileSync(join(fixtures, 'expected', `${expected}.yaml`), 'utf8'));
    const told = JSON.parse(readFileSync(join(fixtures, 'expected', `${expected}.json`), 'utf8')) as unknown;
    expect(rest).toEqual({ ok: true, ...(told as object) });
    expect(JSON.stringify(result)).not.toContain('hunter2');
  });
});

describe.each(importableSystems)('the table of $name', ({ name, keys }) => {
  test('has each key once', () => {
    const names = keys.flatMap((key) =>
      [key.name, ...(key.spellings ?? [])].map((one) => `${key.source} ${one}`),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  test.each(keys.map((key) => ({ key })))('$key.name is $key.fate', ({ key }) => {
    const isVariable = key.source === 'environment' && name !== 'ollama-lb';
    const { yaml, notes } = isVariable
      ? imported(name, name === 'nomyo' ? '' : '{}', key.sample)
      : imported(name, key.sample);
    // The sample of any key in the environment has this one; the path of an inner key ends with its own name.
    const own = key.name === 'NOMYO_ROUTER_<KEY>' ? 'priority_routing' : key.name.replace(/^.*[.]/, '');
    expect(JSON.stringify([yaml, notes])).not.toContain('confidential');
    if (key.fate === 'carried') {
      expect(notes).toEqual([]);
      expect(yaml).toMatch(new RegExp(`# from .*${own}`));
    } else {
      expect(key.remark).not.toBe('');
      expect(notes).toMatchObject([{ key: key.name, why: key.remark, line: 1 }]);
      expect(notes[0]?.value === undefined).toBe(key.isSecret === true);
      expect(yaml).not.toContain(key.name);
    }
  });
});

describe('every key of the three systems is in the tables:', () => {
  test.each([
    [
      'nomyo',
      'endpoints llama_server_endpoints max_concurrent_connections endpoint_config priority_routing conversation_affinity conversation_affinity_ttl api_keys router_api_key nomyo-router-api-key nomyo_router_api_key nomyo-router_api_key nomyo_router-api_key NOMYO-ROUTER_API_KEY NOMYO_ROUTER_API_KEY db_path cache_enabled cache_backend cache_similarity cache_ttl cache_db_path cache_redis_url cache_history_weight NOMYO_ROUTER_CONFIG_PATH NOMYO_ROUTER_DB_PATH CONFIG_PATH UVICORN_HOST UVICORN_PORT UVICORN_RELOAD UVICORN_BIN HF_HOME',
    ],
    [
      'llamacpp-ha',
      'backends default_slot_capacity default_max_models max_queue_skip model_affinity_sched_bonus model_unload_delay model_limits',
    ],
    [
      'ollama-lb',
      'OLLAMA_SERVERS METRICS_INTERVAL HEALTH_CHECK_INTERVAL REQUEST_TIMEOUT UNHEALTHY_THRESHOLD RECOVERY_DELAY OLLAMA_HOST OLLAMA_PORT METRICS_PORT POLL_INTERVAL',
    ],
  ])('%s', (name, known) => {
    const names = systemOf(name).keys.flatMap((key) => [key.name, ...(key.spellings ?? [])]);
    expect(names).toEqual(expect.arrayContaining(known.split(' ')));
  });
});

describe('what is wrong in a file', () => {
  test.each([
    ['nomyo', 'endpoints:\n  - a\n b: 1\n', ':3:'],
    ['nomyo', 'endpoints: http://a\n', ':1:12 endpoints: must be a list'],
    [
      'nomyo',
      'a: 1\nmax_concurrent_connections: many\n',
      ':2:29 max_concurrent_connections: must be a whole number',
    ],
    ['nomyo', '- 1\n', ':1:1 must be a map of keys'],
    ['llamacpp-ha', '{\n\t"backends": [{}]\n}', ':2:15 backends[0].url: is missing'],
    ['llamacpp-ha', '{ "backends": [ }', ':1:'],
    ['llamacpp-ha', '{ "model_limits": 3 }', ':1:19 model_limits: must be a map'],
    ['ollama-lb', 'A=1\n  OLLAMA_SERVERS\n', ':2:3 must be NAME=value'],
    ['ollama-lb', 'OLLAMA_SERVERS="a:1\n', ':1:1 OLLAMA_SERVERS: the closing quote is missing'],
    ['ollama-lb', 'OLLAMA_SERVERS=a:1,b\n', ':1:1 OLLAMA_SERVERS[1]: must be HOST:PORT'],
  ])('%s %j is told with its place', (name, text, told) => {
    const result = importText(name, text);
    const problems = result.ok ? [] : result.problems;
    const lines = problems.map(
      ({ line, column, path, message }) => `:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`,
    );
    expect(lines.join('\n')).toContain(told);
  });

  test('a compose file without the program is told', () => {
    const main = { file: 'docker-compose.yml', text: 'services: { web: { environment: [A=1] } }\n' };
    expect(systemOf('ollama-lb').run({ main, env: undefined })).toMatchObject({
      ok: false,
      problems: [{ message: expect.stringContaining('no service has') }],
    });
  });
});

describe('ollama-lb', () => {
  test.each([
    ['gpu-a:11434', 'http://gpu-a-monitor:12434'],
    ['gpu-a:80', 'http://gpu-a-monitor:1080'],
    ['10.0.0.1:11434', undefined],
    ['[fe80::1]:11434', undefined],
    ['localhost:11434', undefined],
    ['gpu-a:65000', undefined],
  ])('OLB-3 asks for the GPUs of %s where ollama-lb does: %s', (server, monitor) => {
    const result = loadImported(imported('ollama-lb', `OLLAMA_SERVERS=${server}\n`));
    if (!result.ok) throw new Error('must load');
    expect(Object.values(result.config.backends)[0]?.gpuMonitor).toBe(monitor);
  });

  test('an interval of its metrics that is too long is told, and left out', () => {
    const { yaml, notes } = imported('ollama-lb', 'METRICS_INTERVAL=30\n');
    expect(notes).toMatchObject([{ key: 'METRICS_INTERVAL', why: 'must be at least 0.1 s and at most 5 s' }]);
    expect(yaml).not.toContain('gpuInterval');
  });
});

describe('nomyo', () => {
  test('a llama-server that is listed twice is one, an Ollama by its other API is the same', () => {
    const { yaml, notes } = imported(
      'nomyo',
      'endpoints: ["http://l:8080/v1", "http://o:11434/v1", "http://o:11434"]\nllama_server_endpoints: ["http://l:8080/v1"]\n',
    );
    expect(yaml.match(/engine: \w+/g)).toEqual(['engine: ollama', 'engine: llamacpp']);
    expect(notes).toMatchObject([{ key: 'endpoints[2]' }]);
  });

  test('an endpoint that leads back to the router is left out', () => {
    const { notes } = imported('nomyo', 'endpoints: ["http://localhost:12434", "http://o:11434"]\n');
    expect(notes).toMatchObject([{ key: 'endpoints[0]', why: expect.stringContaining('the router itself') }]);
  });

  test('variables in the file are filled in from the env file', () => {
    const text = 'endpoints: ["${SERVER}", "${OTHER}"]\nmax_concurrent_connections: ${LIMIT}\n';
    const { yaml, notes } = imported('nomyo', text, 'SERVER=http://gpu:11434\nLIMIT=7\n');
    expect(yaml).toContain('url: http://gpu:11434');
    expect(yaml).toContain('slotsPerModel: 7');
    expect(notes).toMatchObject([{ key: 'endpoints', line: 1, why: expect.stringContaining('${OTHER}') }]);
  });

  test('the file wins over a variable', () => {
    const env = 'NOMYO_ROUTER_MAX_CONCURRENT_CONNECTIONS=9\nNOMYO_ROUTER_ENDPOINTS=["http://e:11434"]\n';
    const { yaml } = imported('nomyo', 'max_concurrent_connections: 3\n', env);
    expect(yaml).toContain('slotsPerModel: 3');
    expect(yaml).toContain('url: http://e:11434');
  });
});

test('llamacpp-ha: a variable wins over the file', () => {
  const { yaml } = imported('llamacpp-ha', '{ "queue_timeout": 5 }', 'LLAMACPP_HA_QUEUE_TIMEOUT=90\n');
  expect(yaml).toContain('queueTimeout: 1m30s');
});

test.each([
  ['{ "max_queue_skip": 4 }', '30s'],
  ['{ "max_queue_skip": 4, "model_affinity_sched_bonus": 5 }', '5s'],
  ['{ "model_affinity_sched_bonus": 0, "max_queue_skip": 4 }', '0s'],
])('llamacpp-ha: %s makes a loaded model worth %s', (text, bonus) => {
  const { yaml } = imported('llamacpp-ha', text);
  expect(yaml.match(/modelAffinityBonus: .*/g)).toEqual([`modelAffinityBonus: ${bonus}`]);
  expect(yaml).toContain('maxOvertake: 4');
});

test('references in a list are YAML for every reader', () => {
  const { yaml } = imported('llamacpp-ha', '{ "api_keys": ["sk-a", "sk-b"] }');
  expect(parse(yaml)).toMatchObject({ apiKeys: ['${env.LLAMERO_API_KEY}', '${env.LLAMERO_API_KEY_2}'] });
});
