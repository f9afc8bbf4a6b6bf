import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { differences } from '../../test/fixtures/config/differences.ts';
import { fixtureEnvironment, fixtureSecrets } from '../../test/fixtures/config/environment.ts';
import { loadConfigText } from './load.ts';
import type { LoadResult } from './load.ts';
import { formatProblem } from './problems.ts';
import { sharedPortOf } from './resolve-model.ts';

const fixtures = resolve(import.meta.dirname, '../../test/fixtures/config');

function load(text: string, options: { env?: Record<string, string>; listen?: string[] } = {}): LoadResult {
  return loadConfigText({ file: 'llamero.yaml', env: {}, ...options, text });
}

function problemsOf(result: LoadResult): string[] {
  return result.ok ? [] : result.problems.map(formatProblem);
}

function fixtureNames(folder: string): string[] {
  return readdirSync(join(fixtures, folder)).filter((name) => name.endsWith('.yaml'));
}

function loadFixture(folder: string, name: string): LoadResult {
  const text = readFileSync(join(fixtures, folder, name), 'utf8');
  return loadConfigText({ file: name, text, env: fixtureEnvironment });
}

describe('loadConfigText', () => {
  test('has fixtures to compare with', () => {
    expect(fixtureNames('bad').length).toBeGreaterThanOrEqual(25);
    expect(fixtureNames('good').length).toBeGreaterThanOrEqual(10);
  });

  test.each(fixtureNames('bad'))('reports every problem of bad/%s', (name) => {
    const result = loadFixture('bad', name);
    const lines = result.ok
      ? []
      : result.problems.map((problem) => `${formatProblem(problem)}  [${problem.code}]`);
    const expected = readFileSync(join(fixtures, 'bad', name.replace('.yaml', '.expected.txt')), 'utf8');
    expect(`${lines.join('\n')}\n`).toBe(expected);
  });

  test.each(fixtureNames('bad'))('shows no secret in the problems of bad/%s', (name) => {
    const shown = problemsOf(loadFixture('bad', name)).join('\n');
    for (const secret of fixtureSecrets) expect(shown).not.toContain(secret);
  });

  test.each(fixtureNames('good'))('reads good/%s', (name) => {
    const result = loadFixture('good', name);
    expect(problemsOf(result)).toEqual([]);
    if (!result.ok) return;
    const expected: unknown = JSON.parse(
      readFileSync(join(fixtures, 'good', name.replace('.yaml', '.expected.json')), 'utf8'),
    );
    const actual = { differences: differences(result.config), warnings: result.warnings.map(formatProblem) };
    expect(actual).toEqual(expected);
  });

  test('sorts problems by their place in the file', () => {
    const result = load('limitz: 1\nbackends: { a: { url: nowhere } }\nprobs: 2\nlisten: x\n');
    expect(problemsOf(result).map((line) => line.split(' ')[0])).toEqual([
      'llamero.yaml:1:1',
      'llamero.yaml:2:23',
      'llamero.yaml:3:1',
      'llamero.yaml:4:9',
    ]);
  });

  test('tells warnings beside problems, as far as these do not bring them about', () => {
    const result = load(
      [
        'models:',
        '  a: { cmd: "x ${PORT}", fancy: 5 }',
        '  b: { cmd: "x ${PORT}", ttl: soon, aliases: [c] }',
        '  d: { cmd: "x ${PORT}", aliases: [c] }',
        'groups: { g: { members: [nobody] } }',
        'backends: { gpu: { slots: 3 } }',
      ].join('\n'),
    );
    expect(problemsOf(result)).toEqual([
      expect.stringMatching(/^llamero.yaml:3:\d+ models.b.ttl: must be a duration/) as string,
      'llamero.yaml:4:36 models.d.aliases[0]: duplicate alias c found in model: d',
      'llamero.yaml:6:13 backends.gpu.url: is missing',
    ]);
    expect(result.warnings.map(formatProblem)).toEqual([
      "llamero.yaml:2:26 models.a.fancy: unknown key 'fancy' is ignored",
      'llamero.yaml:5:26 groups.g.members[0]: no model config for "nobody": ignored',
    ]);
  });

  test('does not call a model unknown whose own entry cannot be read', () => {
    const result = load('models: { a: { cmd: "${nope}" } }\ngroups: { g: { members: [a] } }\n');
    expect(problemsOf(result).join()).toContain("unknown macro '${nope}'");
    expect(result.warnings).toEqual([]);
  });

  test('tells what is wrong inside a model beside what is wrong with the model as a whole', () => {
    const result = load('models: { a: { cmd: x, ttl: soon } }\n');
    expect(problemsOf(result)).toEqual([
      expect.stringContaining('models.a: model a: proxy uses ${PORT} but cmd does not') as string,
      expect.stringContaining('models.a.ttl: must be a duration') as string,
    ]);
  });

  test('freezes the configuration to its leaves', () => {
    const result = load('backends: { a: { url: "http://a:1", models: [m] } }');
    if (!result.ok) throw new Error('must load');
    expect(() => Object.assign(result.config.scheduling, { queueMax: 1 })).toThrow(TypeError);
    expect(() => result.config.backends['a']?.models?.push('n')).toThrow(TypeError);
  });

  test('takes a byte order mark and Windows line ends', () => {
    expect(problemsOf(load('\uFEFFlisten: 127.0.0.1:1\r\nqueueMax: 1\r\n'))).toEqual([
      "llamero.yaml:2:1 queueMax: unknown key 'queueMax' (belongs under scheduling)",
    ]);
  });

  test('uses addresses of the command line instead of the file', () => {
    const result = load('listen: 127.0.0.1:1\n', { listen: ['127.0.0.1:2', ':0'] });
    expect(problemsOf(result)).toEqual([
      '--listen :0 other machines could use this address without a key: add apiKeys, listen on 127.0.0.1, or set allowUnauthenticated: true',
    ]);
    const good = load('listen: 127.0.0.1:1\n', { listen: ['127.0.0.1:2'] });
    expect(good.ok && good.config.listen).toEqual(['127.0.0.1:2']);
  });

  test('does not complain about missing keys when the keys themselves are wrong', () => {
    expect(problemsOf(load('listen: :1\napiKeys: [""]\n'))).toEqual([
      'llamero.yaml:2:11 apiKeys[0]: empty api key found in apiKeys',
    ]);
  });

  test('does not treat inherited properties of the environment as variables', () => {
    expect(problemsOf(load('listen: ${env.toString}\n'))).toEqual([
      "llamero.yaml:1:9 listen: environment variable 'toString' is not set",
    ]);
  });
});

describe('loadConfigText with the configuration in force', () => {
  const models = (...ids: string[]): string =>
    `models:\n${ids.map((id) => `  ${id}: { cmd: "s \${PORT}" }\n`).join('')}`;

  function portsOf(result: LoadResult): Record<string, number | undefined> {
    if (!result.ok) throw new Error(problemsOf(result).join('\n'));
    return Object.fromEntries(
      Object.entries(result.config.models).map(([id, entry]) => [id, sharedPortOf(entry)]),
    );
  }

  function reload(before: string, after: string): Record<string, number | undefined> {
    const first = load(before);
    if (!first.ok) throw new Error('must load');
    return portsOf(loadConfigText({ file: 'f', env: {}, text: after, inForce: first.config }));
  }

  test.each([
    [
      'a model that comes takes a free port',
      models('b', 'c'),
      models('a', 'b', 'c'),
      { a: 5802, b: 5800, c: 5801 },
    ],
    [
      'a model that goes leaves its port',
      models('a', 'b', 'c'),
      models('b', 'c', 'd'),
      { b: 5801, c: 5802, d: 5800 },
    ],
    [
      'a new startPort counts for all',
      models('b', 'c'),
      `startPort: 7000\n${models('a', 'b')}`,
      { a: 7000, b: 7001 },
    ],
    [
      'a port that several models had is given once',
      'models:\n  a: { cmd: s 9000, proxy: "http://localhost:9000" }\n  b: { cmd: s 9000, proxy: "http://localhost:9000" }\n',
      models('a', 'b'),
      { a: 9000, b: 5800 },
    ],
  ])('%s', (_name, before, after, ports) => {
    expect(reload(before, after)).toEqual(ports);
  });
});

describe('loadConfigText with keys of llama-swap for the log', () => {
  test.each([
    ['', true],
    ['logRequests: false', false],
    ['logRequests: true', true],
    ['logRequests: false\nlog: { format: json }', false],
    ['logRequests: false\nlog: { requests: true }', true],
    ['logRequests: true\nlog: { requests: false }', false],
  ])('%j writes a line for each request: %s', (text, requests) => {
    const result = load(text);
    expect(result.ok && result.config.log.requests).toBe(requests);
  });
});

describe('loadConfigText warnings', () => {
  function warningsOf(text: string): string[] {
    const result = load(`backends: { b: { url: "http://b:1" } }\n${text}`);
    return result.ok ? result.warnings.map(formatProblem) : ['failed', ...problemsOf(result)];
  }

  test.each([
    ['defs: &d { cmd: x }', "defs: unknown key 'defs' is ignored"],
    ['filters: &f { stripParams: x }', "filters: unknown key 'filters' is ignored"],
    ['frobnicate: 1', "frobnicate: unknown key 'frobnicate' is ignored"],
    ['performance: { enable: true }', "performance.enable: unknown key 'enable' is ignored"],
    ['store:', ''],
    ['x-any: ${not_a_macro}', ''],
    ['logLevel: verbose', 'logLevel: is none of debug, info, warn, error and counts as info'],
    [
      'hooks: { on_startup: { preload: [nobody] } }',
      "hooks.on_startup.preload[0]: no local model is called 'nobody': ignored",
    ],
    ['apiKeys: [sk-1, sk-1]', 'apiKeys[1]: same key as apiKeys[0]'],
    [
      'peers: { p: { proxy: http://p/v1/, models: [m] } }',
      'peers.p.proxy: ends with /v1, which the routes have themselves: leave it out',
    ],
    ['peers: { p: { proxy: http://p/v1beta/openai, models: [m] } }', ''],
  ])('of %j', (text, warning) => {
    const warnings = warningsOf(text).map((line) => line.slice(line.indexOf(' ') + 1));
    expect(warnings).toEqual(warning === '' ? [] : [warning]);
  });

  test.each([
    ['macro: { a: 1 }', "macro: unknown key 'macro' (did you mean 'macros'?)"],
    ['performance: { evry: 5s }', "performance.evry: unknown key 'evry' (did you mean 'every'?)"],
    ['limits: { nope: 1 }', "limits.nope: unknown key 'nope'"],
  ])('become problems where a key looks misspelt or is ours: %j', (text, problem) => {
    const [, line = ''] = warningsOf(text);
    expect(line.slice(line.indexOf(' ') + 1)).toBe(problem);
  });

  test('no key of the file is looked at for long', () => {
    const text = Array.from({ length: 5000 }, (_, index) => `wrong${index}: 1\n`).join('');
    expect(warningsOf(text).at(-1)).toContain('4900 more problems');
  });
});

describe('loadConfigText bounds', () => {
  test('what macros grow to', () => {
    const levels = Array.from(
      { length: 40 },
      (_, level) => `  m${level}: "${level === 0 ? 'x' : '${m' + (level - 1) + '}${m' + (level - 1) + '}'}"`,
    );
    const problems = problemsOf(load(`macros:\n${levels.join('\n')}\nlisten: \${m39}\n`));
    expect(problems).toEqual([
      'llamero.yaml:42:9 listen: must be at most 1048576 characters with its macros filled in',
    ]);
  });

  test('the size of the text', () => {
    const text = `# ${'x'.repeat(4 * 1024 * 1024)}`;
    expect(problemsOf(load(text))).toEqual(['llamero.yaml:1:1 must be at most 4MiB']);
  });

  test('what aliases expand to', () => {
    const levels = Array.from({ length: 9 }, (_, level) => {
      const items = Array.from({ length: 10 }, () => (level === 0 ? 'x' : `*l${level - 1}`));
      return `  - &l${level} [${items.join(', ')}]`;
    });
    expect(problemsOf(load(`x-bomb:\n${levels.join('\n')}\n`))).toEqual([
      'llamero.yaml:6:9 x-bomb[4]: must hold at most 100000 values, aliases expanded',
    ]);
  });

  test('what merge keys copy', () => {
    const wide = Array.from({ length: 2000 }, (_, index) => `k${index}: 1`).join(', ');
    const copies = '  - { <<: *wide }\n'.repeat(2000);
    const problems = problemsOf(load(`x-wide: &wide { ${wide} }\nx-copies:\n${copies}`));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('must hold at most 100000 values');
  });

  test.each(['[', '{a: ', '- ', '? '])('nesting of %j', (opener) => {
    const problems = problemsOf(load(opener.repeat(10_000)));
    expect(problems.length).toBeGreaterThan(0);
    expect(problemsOf(load(`x: ${opener.repeat(10_000)}`)).length).toBeGreaterThan(0);
  });

  test.each([
    ['[', 'nested too deeply'],
    ['a: {', 'nested too deeply'],
    ['a:\n', 'too long to be a configuration'],
    ['- ', 'too long to be a configuration'],
    ['? ', 'too long to be a configuration'],
    ['#\n', 'too long to be a configuration'],
    ['- &a 1\n- *a\n', 'too long to be a configuration'],
  ])('a text of nothing but %j, before the parser sees it', (part, message) => {
    const text = part.repeat(Math.floor(4_000_000 / part.length));
    expect(problemsOf(load(text))).toEqual([`llamero.yaml:1:1 ${message}`]);
  });

  test('the number of problems told', () => {
    const wrong = Array.from({ length: 5000 }, (_, index) => `  wrong${index}: 1\n`).join('');
    const problems = problemsOf(load(`limits:\n${wrong}`));
    expect(problems).toHaveLength(101);
    expect(problems.at(-1)).toContain('4900 more problems');
  });
});

test('a file with a number beyond 2^53 and a fault elsewhere is told of the fault', () => {
  const text =
    'models:\n  m: { cmd: "x --port ${PORT}", filters: { setParams: { seed: 12345678901234567890 } } }\nlisten: yes\n';
  expect(problemsOf(load(text))).toEqual([expect.stringMatching(/^llamero\.yaml:3:/)]);
});
