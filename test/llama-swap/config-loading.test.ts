/** CFG: keys, defaults and their errors. CFG-13 is in read-files.test.ts, CFG-19 in split-command.test.ts. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { stripComments } from '../../src/config/expand-model.ts';
import { configJsonSchemaText } from '../../src/config/json-schema.ts';
import { createModelNames } from '../../src/config/names.ts';
import { load, modelOf, problems, resolved } from './load.ts';

const two = (a: string, b: string): string =>
  `models:\n  a: { cmd: s, proxy: "http://a:1", ${a} }\n  b: { cmd: s, proxy: "http://b:1", ${b} }\n`;
const one = (keys: string): string => `models:\n  m: { cmd: "s \${PORT}", ${keys} }\n`;

test('CFG-1 an empty document has the defaults', () => {
  const config = load('');
  expect(config).toMatchObject({
    startPort: 5800,
    healthCheckTimeout: 120_000,
    logLevel: 'info',
    logTimeFormat: '',
    logToStdout: 'proxy',
    unloadTimeout: 10_000,
    captureBuffer: 5,
    metricsMaxInMemory: 1000,
    performance: { disabled: false, every: 5000 },
    ui: { activity: { session_id: ['X-Session-ID', 'X-Litellm-Session-Id'] } },
    routing: { scheduler: { use: 'fifo' } },
  });
  expect(config.store).toBeUndefined();
  expect(resolved('').routing).toEqual({ kind: 'group', groups: [] });
});

test('CFG-2 a model with only a command has the defaults', () => {
  const text = 'models:\n  m: { cmd: "x --port ${PORT}" }\n';
  expect(modelOf(text)).toEqual({
    id: 'm',
    cmd: 'x --port 5800',
    cmdStop: '',
    proxy: 'http://localhost:5800',
    port: 5800,
    aliases: [],
    aliasListings: new Map(),
    env: {},
    checkEndpoint: '/health',
    ttlMs: 0,
    readyTimeoutMs: 120_000,
    unloadTimeoutMs: 10_000,
    unlisted: false,
    useModelName: undefined,
    name: '',
    description: '',
    concurrencyLimit: 0,
    filters: { stripParams: [], setParams: [], setParamsById: new Map() },
    metadata: {},
    sendLoadingState: false,
    wording: {
      cancelNonStreaming: true,
      streamUsage: true,
      repairs: {
        trimContext: false,
        dropTools: false,
        dropImages: false,
        toolCalls: false,
        thinkTags: false,
        volatilePrefix: false,
      },
    },
    timeouts: {
      connectMs: 30_000,
      keepaliveMs: 30_000,
      responseHeaderMs: 0,
      tlsHandshakeMs: 10_000,
      expectContinueMs: 1000,
      idleConnMs: 90_000,
    },
    ignoreWebsockets: false,
    capabilities: undefined,
    hooks: { onLoad: [], onUnload: [] },
  });
  expect(resolved(text).routing).toEqual({
    kind: 'group',
    groups: [{ name: '(default)', swap: true, exclusive: true, persistent: false, members: ['m'] }],
  });
});

test('CFG-3 only models that use ${PORT} take one', () => {
  const { models } = resolved(`
models:
  a: { cmd: "s --port \${PORT}" }
  b: { cmd: "s --port 9999", proxy: "http://localhost:9999" }
  c: { cmd: "ssh gpu s --port \${PORT}", proxy: "http://gpu.example:\${PORT}/base/" }
`);
  const seen = [...models.values()].map(({ id, cmd, proxy, port }) => [id, cmd, proxy, port]);
  expect(seen).toEqual([
    ['a', 's --port 5800', 'http://localhost:5800', 5800],
    ['b', 's --port 9999', 'http://localhost:9999', 9999],
    ['c', 'ssh gpu s --port 5801', 'http://gpu.example:5801/base', undefined],
  ]);
});

test('CFG-4 startPort is a positive number, also from a macro', () => {
  expect(problems('startPort: abc')).toEqual(["startPort: must be a whole number, is 'abc'"]);
  expect(problems('startPort: -1')).toEqual(['startPort: startPort must be greater than 1, is -1']);
  expect(problems('startPort: 0')[0]).toContain('startPort must be greater than 1');
  const text = `macros: { first: 9000 }\nstartPort: \${first}\n${one('')}`;
  expect(load(text).startPort).toBe(9000);
  expect(modelOf(text).port).toBe(9000);
});

test('CFG-5 the default proxy needs ${PORT} in cmd', () => {
  expect(problems('models: { m: { cmd: s } }')).toEqual([
    'models.m: model m: proxy uses ${PORT} but cmd does not - ${PORT} is only available when used in cmd',
  ]);
});

test('CFG-6 ports go by sorted id', () => {
  const { models } = resolved(`
startPort: 9000
models:
  model2: { cmd: "s \${PORT}" }
  model1: { cmd: "s \${PORT}" }
  "author/model:F16": { cmd: "s \${PORT}" }
`);
  expect([...models.values()].map(({ id, port }) => [id, port])).toEqual([
    ['model2', 9002],
    ['model1', 9001],
    ['author/model:F16', 9000],
  ]);
});

describe('CFG-7', () => {
  test('a model is in one group only, once', () => {
    const groups = 'groups: { A: { members: [a] }, B: { members: [a, b, b] } }\n';
    expect(problems(groups + two('', ''))).toEqual([
      'groups.B.members[0]: model member a is used in multiple groups: A and B',
      'groups.B.members[2]: model member b is listed twice in group B',
    ]);
  });

  test('an alias belongs to one model', () => {
    expect(problems(two('aliases: [x]', 'aliases: [y, x]'))).toEqual([
      'models.b.aliases[1]: duplicate alias x found in model: b',
    ]);
  });
});

test('CFG-8 names are found by id and alias', () => {
  const names = createModelNames(resolved(two('aliases: [x, b]', '')));
  expect(names.resolve('a')).toEqual({ kind: 'model', model: 'a' });
  expect(names.resolve('x')).toEqual({ kind: 'model', model: 'a' });
  expect(names.resolve('b')).toEqual({ kind: 'model', model: 'b' });
  expect(names.resolve('nobody')).toBeUndefined();
});

test('CFG-9 healthCheckTimeout counts for every model, from 15 s on', () => {
  expect(modelOf(`healthCheckTimeout: 15\n${one('')}`).readyTimeoutMs).toBe(15_000);
  expect(modelOf(`healthCheckTimeout: 3\n${one('')}`).readyTimeoutMs).toBe(15_000);
  expect(modelOf(`healthCheckTimeout: 2m\n${one('')}`).readyTimeoutMs).toBe(120_000);
});

test('CFG-10 globalTTL counts where ttl is not set', () => {
  const ttlMs = (keys: string): number => modelOf(`globalTTL: 300\n${one(keys)}`).ttlMs;
  expect([ttlMs(''), ttlMs('ttl: -1'), ttlMs('ttl: 0'), ttlMs('ttl: 600'), ttlMs('ttl: 1h')]).toEqual([
    300_000, 300_000, 0, 600_000, 3_600_000,
  ]);
  expect(problems('globalTTL: -1')).toEqual(['globalTTL: must not be negative, is -1']);
  expect(problems(one('ttl: -2'))[0]).toContain('models.m.ttl: invalid TTL value');
});

test('CFG-11 unloadTimeout counts where a model sets none', () => {
  const unloadMs = (text: string): number => modelOf(text).unloadTimeoutMs;
  expect(unloadMs(one(''))).toBe(10_000);
  expect(unloadMs(`unloadTimeout: 0\n${one('')}`)).toBe(10_000);
  expect(unloadMs(`unloadTimeout: 25\n${one('')}`)).toBe(25_000);
  expect(unloadMs(`unloadTimeout: 25\n${one('unloadTimeout: 60')}`)).toBe(60_000);
  expect(unloadMs(`unloadTimeout: 25\n${one('unloadTimeout: 0')}`)).toBe(25_000);
  expect(problems('unloadTimeout: -3')).toEqual(['unloadTimeout: must not be negative, is -3']);
  expect(problems(one('unloadTimeout: -4'))).toEqual(['models.m.unloadTimeout: must not be negative, is -4']);
});

describe('CFG-12', () => {
  test.each(['"  "', '" k"', '"k "', '"k k"'])('the API key %s is refused at its place', (key) => {
    expect(problems(`apiKeys: [good, ${key}]`)).toEqual(['apiKeys[1]: api key cannot contain spaces']);
  });

  test('an empty API key is refused, also from the environment', () => {
    expect(problems('apiKeys: [good, ""]')).toEqual(['apiKeys[1]: empty api key found in apiKeys']);
    for (const text of ['apiKeys: ["${env.K}"]', 'apiKeys: [${env.K}]']) {
      expect(problems(text, { K: '' })).toEqual([
        'apiKeys[0]: empty api key found in apiKeys (from ${env.K})',
      ]);
    }
  });

  test('an API key may come from the environment, and look like a number', () => {
    expect(load('apiKeys: ["${env.K}", ${env.N}, 0123]', { K: 'sk-1', N: '0456' }).apiKeys).toEqual([
      'sk-1',
      '0456',
      '0123',
    ]);
  });
});

test('CFG-14 timeouts have the defaults, and 0 stays 0', () => {
  const text = `${one('timeouts: { connect: 5, keepalive: 0, idleConn: 0 }')}peers: { p: { proxy: "http://p", models: [x] } }\n`;
  expect(modelOf(text).timeouts).toMatchObject({
    connectMs: 5000,
    keepaliveMs: 0,
    idleConnMs: 0,
    tlsHandshakeMs: 10_000,
  });
  expect(resolved(text).peers.get('p')?.timeouts).toEqual({
    connectMs: 30_000,
    keepaliveMs: 30_000,
    responseHeaderMs: 60_000,
    tlsHandshakeMs: 10_000,
    expectContinueMs: 1000,
    idleConnMs: 90_000,
  });
});

test.each([
  ['', { disabled: false, every: 5000 }],
  ['performance: { every: 30s }', { disabled: false, every: 30_000 }],
  ['performance: { every: 1m30s }', { disabled: false, every: 90_000 }],
  ['performance: { disabled: true }', { disabled: true, every: 5000 }],
  ['performance: { enable: true }', { disabled: false, every: 5000 }],
])('CFG-15 %j reads as %j', (text, expected) => {
  expect(load(text).performance).toEqual(expected);
});

test('CFG-15 performance.every has a least value', () => {
  expect(problems('performance: { every: 4s }')).toEqual([
    'performance.every: every must be at least 5s, got 4s',
  ]);
});

test('CFG-16 session headers are trimmed and distinct, and may be none', () => {
  const headers = (list: string): readonly string[] =>
    load(`ui: { activity: { session_id: ${list} } }`).ui.activity.session_id;
  expect(headers('[" X-One ", "", x-one, X-Two]')).toEqual(['X-One', 'X-Two']);
  expect(headers('[]')).toEqual([]);
});

describe('CFG-17', () => {
  const matches = (text: string, path: string): boolean =>
    resolved(text).ignorePaths.some((pattern) => pattern.test(path));

  test.each(['', 'upstream: {}', 'upstream: { ignorePaths: [] }'])('%j has the default', (text) => {
    for (const path of ['/app.js', '/a/b.json', '/x.png', '/robots.txt', '/favicon.ico']) {
      expect(matches(text, path), path).toBe(true);
    }
    for (const path of ['/v1/chat/completions', '/health']) expect(matches(text, path), path).toBe(false);
  });

  test('a list replaces it, in the language of RE2', () => {
    const text = "upstream: { ignorePaths: ['^/ws$|^/api/jobs$', '(?i)\\.SVG\\z'] }";
    expect(matches(text, '/ws')).toBe(true);
    expect(matches(text, '/x.svg')).toBe(true);
    expect(matches(text, '/app.js')).toBe(false);
  });

  test.each(['"["', '"a(?=b)"', String.raw`'(a)\1'`])('the pattern %s is refused', (pattern) => {
    expect(problems(`upstream: { ignorePaths: [ok, ${pattern}] }`)[0]).toMatch(
      /^upstream\.ignorePaths\[1\]: upstream\.ignorePaths: invalid regular expression/,
    );
  });
});

test('CFG-18 the example fits the published schema', () => {
  const text = readFileSync(resolve(import.meta.dirname, '../../examples/llama-swap.yaml'), 'utf8');
  const schema = JSON.parse(configJsonSchemaText()) as z.core.JSONSchema.JSONSchema;
  expect(z.fromJSONSchema(schema).safeParse(parse(text, { merge: true })).error).toBeUndefined();
});

test('CFG-20 only whole comment lines go, blank ones stay', () => {
  expect(stripComments('a # b\n  # c\n\n#d\n e "# f"')).toBe('a # b\n\n e "# f"');
});

test('CFG-18 aliases may be maps that say how they are listed, with macros in them', () => {
  const text = [
    'models:',
    '  m:',
    '    cmd: "x --port ${PORT}"',
    '    aliases: [plain, { id: "${MODEL_ID}-mini", name: Mini, unlisted: true }]',
  ].join('\n');
  const { aliases, aliasListings } = modelOf(text);
  expect(aliases).toEqual(['plain', 'm-mini']);
  expect(aliasListings).toEqual(new Map([['m-mini', { name: 'Mini', unlisted: true }]]));
});
