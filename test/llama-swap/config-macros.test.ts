/** MAC: macros and variables of the environment. */
import { describe, expect, test } from 'vitest';
import { load, modelOf, problems, resolved } from './load.ts';

const model = (keys: string, id = 'm'): string =>
  `models:\n  ${id}:\n    cmd: s \${PORT}\n${keys
    .split('\n')
    .map((line) => `    ${line}\n`)
    .join('')}`;

test('MAC-1 global macros work in commands, and those of a model replace them', () => {
  const { models } = resolved(`
macros: { extra-args: "--global", run: "srv --port \${PORT} \${extra-args}" }
models:
  a: { cmd: "\${run}" }
  b: { cmd: "\${run}", cmdStop: "stop \${PORT} \${extra-args}", macros: { extra-args: "--own" } }
`);
  expect(models.get('a')?.cmd).toBe('srv --port 5800 --global');
  expect(models.get('b')).toMatchObject({ cmd: 'srv --port 5801 --own', cmdStop: 'stop 5801 --own' });
});

test.each(['PORT', 'MODEL_ID', 'PID'])('MAC-2 the name %s is reserved', (name) => {
  expect(problems(`macros: { ${name}: x }`)).toEqual([`macros.${name}: macro name '${name}' is reserved`]);
  expect(problems(model(`macros: { ${name}: x }`))).toEqual([
    `models.m.macros.${name}: model m: macro name '${name}' is reserved`,
  ]);
});

test.each([
  ['cmdStop: "${x}"', "models.m.cmdStop: unknown macro '${x}' found in m.cmdStop"],
  ['proxy: "http://${x}"', "models.m.proxy: unknown macro '${x}' found in m.proxy"],
  ['checkEndpoint: "/${x}"', "models.m.checkEndpoint: unknown macro '${x}' found in m.checkEndpoint"],
  [
    'filters: { stripParams: "a, ${x}" }',
    "models.m.filters.stripParams: unknown macro '${x}' found in m.filters.stripParams",
  ],
  ['name: "${x}"', "models.m.name: unknown macro '${x}' found in m.name"],
  ['description: "${x}"', "models.m.description: unknown macro '${x}' found in m.description"],
  [
    'metadata: { a: [1, "${x}"] }',
    "models.m.metadata.a[1]: model m metadata: unknown macro '${x}' found in metadata.a.1",
  ],
  [
    'capabilities: { in: ["${x}"] }',
    "models.m.capabilities.in[0]: model m capabilities: unknown macro '${x}' found in capabilities.in.0",
  ],
  [
    'filters: { setParamsByID: { "${x}": { a: 1 } } }',
    "models.m.filters.setParamsByID['${x}']: unknown macro '${x}' found in key of m.filters.setParamsByID",
  ],
])('MAC-3 %s is told', (keys, problem) => {
  expect(problems(model(keys))).toEqual([problem]);
});

test('MAC-3 an unknown macro is told in cmd and outside of models', () => {
  expect(problems('models: { m: { cmd: "s ${PORT} ${x}" } }')).toEqual([
    "models.m.cmd: unknown macro '${x}' found in m.cmd",
  ]);
  expect(problems('peers: { openrouter: { proxy: "http://p", models: [a], apiKey: "${x}" } }')).toEqual([
    "peers.openrouter.apiKey: unknown macro '${x}'",
  ]);
});

test('MAC-4 macros in comments of a command are not there', () => {
  const text =
    'macros: { run: "srv\\n# inner ${PORT}" }\nmodels:\n  m:\n    cmd: |\n      # ${run} and ${nobody}\n      ${run}\n        # ${run}\n      --port ${PORT}\n';
  expect(modelOf(text).cmd).toBe('srv\n# inner 5800\n--port 5800\n');
});

test('MAC-5 ${MODEL_ID} is the id of the model, also within a global macro', () => {
  const { models } = resolved(
    'macros: { run: "s ${PORT} --alias ${MODEL_ID}" }\nmodels: { a: { cmd: "${run}" }, b/c: { cmd: "${run} ${MODEL_ID}" } }',
  );
  expect(models.get('a')?.cmd).toBe('s 5800 --alias a');
  expect(models.get('b/c')?.cmd).toBe('s 5801 --alias b/c b/c');
});

test('MAC-6 a macro that stands alone keeps its type', () => {
  const text = `
macros: { int: 7, float: 0.5, flag: true, text: "10", side: audio, long: 60 }
models:
  m:
    cmd: s \${PORT} \${int} \${float} \${flag}
    ttl: \${long}
    unlisted: \${flag}
    timeouts: { connect: "\${int}" }
    capabilities: { context: \${int}, tools: \${flag}, reranker: "\${flag}", in: ["\${side}"] }
    metadata:
      alone: [\${int}, "\${float}", \${flag}, "\${text}"]
      within: { deep: { a: "x\${int}", b: "\${int}\${int}" } }
`;
  const read = modelOf(text);
  expect(read).toMatchObject({
    cmd: 's 5800 7 0.5 true',
    ttlMs: 60_000,
    unlisted: true,
    capabilities: { context: 7, tools: true, reranker: true, in: ['audio'] },
    metadata: { alone: [7, 0.5, true, '10'], within: { deep: { a: 'x7', b: '77' } } },
  });
  expect(read.timeouts.connectMs).toBe(7000);
});

test('MAC-7 macros of a model stay in it', () => {
  const { models } = resolved(`
macros: { a: global, b: kept }
models:
  one: { cmd: "s \${PORT}", macros: { a: own, c: mine }, metadata: { v: ["\${a}", "\${b}", "\${c}"] } }
  two: { cmd: "s \${PORT}", metadata: { v: ["\${a}", "\${b}"] } }
`);
  expect(models.get('one')?.metadata).toEqual({ v: ['own', 'kept', 'mine'] });
  expect(models.get('two')?.metadata).toEqual({ v: ['global', 'kept'] });
  expect(
    problems('models: { a: { cmd: "s ${PORT}", macros: { c: 1 } }, b: { cmd: "s ${PORT} ${c}" } }'),
  ).toEqual(["models.b.cmd: unknown macro '${c}' found in b.cmd"]);
});

test.each(['[1]', '{ a: 1 }'])('MAC-8 the value %s is refused', (value) => {
  expect(problems(`macros: { x: ${value} }`)[0]).toContain('must be a scalar type');
  expect(problems(model(`macros: { x: ${value} }`))[0]).toContain("model m: macro 'x' must be a scalar type");
});

describe('MAC-9', () => {
  test('macros use those before them, three deep, and see those of the model', () => {
    const text = 'macros: { a: "1", b: "${a}2", c: "${b}3" }\n';
    expect(modelOf(text + model('name: "${c}"')).name).toBe('123');
    expect(modelOf(text + model('name: "${c}"\nmacros: { a: "x" }')).name).toBe('x23');
  });

  test('a later, missing or own name is refused', () => {
    expect(problems(`macros: { b: "\${a}", a: "1" }\n${model('name: "${b}"')}`)).toEqual([
      "models.m.name: unknown macro '${a}' found in m.name",
    ]);
    expect(problems(`macros: { b: "\${nobody}" }\n${model('name: "${b}"')}`)).toEqual([
      "models.m.name: unknown macro '${nobody}' found in m.name",
    ]);
    expect(problems('macros: { a: "x ${a}" }')).toEqual(["macros.a: macro 'a' contains self-reference"]);
    expect(problems(model('macros: { a: "${a}" }'))).toEqual([
      "models.m.macros.a: model m: macro 'a' contains self-reference",
    ]);
  });
});

test('MAC-10 names have a length and an alphabet', () => {
  expect(problems(`macros: { ${'n'.repeat(63)}: 1 }`)).toEqual([]);
  expect(problems(`macros: { ${'n'.repeat(64)}: 1 }`)[0]).toContain('exceeds maximum length');
  expect(problems('macros: { a.b: 1 }')[0]).toContain('contains invalid characters');
});

test('MAC-11 what is shared by an anchor is filled in for each model', () => {
  const { models } = resolved(`
defs: &base
  cmd: "s \${PORT} \${size}"
  capabilities: { context: \${size} }
models:
  a: { <<: *base, macros: { size: 1 } }
  b: { <<: *base, macros: { size: 2 }, name: "\${MODEL_ID}" }
`);
  expect(models.get('a')).toMatchObject({ cmd: 's 5800 1', capabilities: { context: 1 } });
  expect(models.get('b')).toMatchObject({ cmd: 's 5801 2', capabilities: { context: 2 }, name: 'b' });
});

test('MAC-12 ${PORT} is everywhere in its model', () => {
  const read = modelOf(
    model(
      'proxy: http://127.0.0.1:${PORT}\ncheckEndpoint: /h/${PORT}\naliases: ["a-${PORT}"]\nmetadata: { port: ${PORT} }\nfilters: { setParamsByID: { "v-${PORT}": { a: 1 } } }',
    ),
  );
  expect(read).toMatchObject({
    proxy: 'http://127.0.0.1:5800',
    checkEndpoint: '/h/5800',
    aliases: ['a-5800', 'v-5800'],
    metadata: { port: 5800 },
  });
  expect([...read.filters.setParamsById.keys()]).toEqual(['v-5800']);
});

test('MAC-13 ${PID} is for cmdStop', () => {
  expect(modelOf(model('cmdStop: kill ${PID}')).cmdStop).toBe('kill ${PID}');
  expect(modelOf(`macros: { stop: "kill \${PID}" }\n${model('cmdStop: ${stop}')}`).cmdStop).toBe(
    'kill ${PID}',
  );
  expect(problems(model('name: ${PID}'))).toEqual(["models.m.name: unknown macro '${PID}' found in m.name"]);
});

test('MAC-14 keys are literal, but for the names of setParamsByID', () => {
  const text = `macros: { v: x }\n${model('metadata: { "${v}": 1 }\nfilters: { setParamsByID: { "${MODEL_ID}:${v}": { a: 1 } } }')}`;
  expect(modelOf(text).metadata).toEqual({ '${v}': 1 });
  expect(modelOf(text).aliases).toEqual(['m:x']);
  expect(
    problems(
      `macros: { v: m }\n${model('filters: { setParamsByID: { "${MODEL_ID}": {}, "${v}": {} } }')}`,
    )[0],
  ).toContain('resolve to the same value');
});

test('MAC-15 global macros work outside of models', () => {
  const text = `
macros: { ttl: 30, on: true, head: X-Own, first: m, key: k-1, temp: 0.5, strip: top_k }
globalTTL: \${ttl}
sendLoadingState: \${on}
ui: { activity: { session_id: ["\${head}"] } }
hooks: { on_startup: { preload: ["\${first}"] } }
peers: { p: { proxy: "http://p", models: [x], apiKey: "\${key}", filters: { stripParams: "\${strip}", setParams: { t: "\${temp}" } } } }
${model('')}`;
  const { models, peers, preload } = resolved(text);
  expect(models.get('m')).toMatchObject({ ttlMs: 30_000, sendLoadingState: true });
  expect(load(text).ui.activity.session_id).toEqual(['X-Own']);
  expect(preload).toEqual(['m']);
  expect(peers.get('p')).toMatchObject({
    apiKey: 'k-1',
    filters: { stripParams: [['top_k']], setParams: [{ path: ['t'], json: '0.5' }] },
  });
});

const everywhere = `
macros: { g: "\${env.A}" }
peers: { p: { proxy: "http://p", models: [x], apiKey: "\${env.A}", filters: { stripParams: "\${env.A}" } } }
models:
  m:
    macros: { own: "\${env.A}" }
    cmd: s \${PORT} \${env.A} \${env.B} \${g} \${own}
    cmdStop: stop \${env.A}
    proxy: http://\${env.A}:\${PORT}
    checkEndpoint: /\${env.A}
    metadata: { deep: { list: ["\${env.A}-\${env.B}"] } }
    filters: { stripParams: "\${env.A}" }
`;

test('MAC-16 variables work in every kind of value', () => {
  const { models, peers } = resolved(everywhere, { A: 'aa', B: 'bb' });
  expect(models.get('m')).toMatchObject({
    cmd: 's 5800 aa bb aa aa',
    cmdStop: 'stop aa',
    proxy: 'http://aa:5800',
    checkEndpoint: '/aa',
    metadata: { deep: { list: ['aa-bb'] } },
    filters: { stripParams: [['aa']] },
  });
  expect(peers.get('p')).toMatchObject({ apiKey: 'aa', filters: { stripParams: [['aa']] } });
});

describe('MAC-17', () => {
  test('a variable that is not set is told in each place', () => {
    const told = problems(everywhere, { B: 'bb' });
    expect(told).toHaveLength(10);
    for (const problem of told) expect(problem).toContain("environment variable 'A' is not set");
  });

  test.each(['a\nb', 'a\rb', 'a\0b'])('a variable that holds %j is refused', (value) => {
    expect(problems(model('name: "${env.A}"'), { A: value })).toEqual([
      "models.m.name: environment variable 'A' contains newlines or null bytes",
    ]);
  });

  test('quotes and backslashes stay', () => {
    const value = String.raw`C:\dir "quoted" 'single'`;
    expect(modelOf(model('name: "${env.A}"\ndescription: ${env.A}'), 'm', { A: value })).toMatchObject({
      name: value,
      description: value,
    });
  });

  test('what stands alone without quotes has a type, as if it stood in the file', () => {
    const text = model('metadata: { n: ${env.N}, f: ${env.F}, t: "${env.N}" }\nttl: ${env.N}');
    const read = modelOf(text, 'm', { N: '7', F: 'true' });
    expect(read.metadata).toEqual({ n: 7, f: true, t: '7' });
    expect(read.ttlMs).toBe(7000);
  });
});

test('MAC-18 variables in comments need not be set', () => {
  const text =
    '# ${env.NO}\nmodels:\n  # ${env.NO}\n  m: # ${env.NO}\n    cmd: s ${PORT} # ${env.NO}\n    name: ${env.A} # ${env.NO}\n';
  expect(modelOf(text, 'm', { A: 'a' })).toMatchObject({ cmd: 's 5800', name: 'a' });
});
