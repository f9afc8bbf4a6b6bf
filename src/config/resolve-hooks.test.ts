import { describe, expect, test } from 'vitest';
import { loadConfigText } from './load.ts';
import { formatProblem } from './problems.ts';
import { resolveModels } from './resolve-models.ts';

const load = (text: string) => loadConfigText({ file: 'c.yaml', env: { TOKEN: 'secret' }, text });

function hooksOf(model: string, text: string) {
  const loaded = load(text);
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  return resolveModels(loaded.config).models.get(model)?.hooks;
}

function problemsOf(text: string): string[] {
  const loaded = load(text);
  return loaded.ok ? [] : loaded.problems.map(formatProblem);
}

const models = 'models:\n  a: { cmd: "x ${PORT}", aliases: [alpha] }\n  b: { cmd: "x ${PORT}" }\n';
const plain = { env: {}, timeoutMs: 30_000, required: false };

describe('hooks', () => {
  test('are a command line, or one with conditions', () => {
    const text = `${models}hooks:
  on_load:
    - notify up
    - { cmd: warm, models: [alpha], timeout: 1m30s, env: [A=1, B=x=y], required: true }
  on_unload:
    - { cmd: cool, models: [b] }
`;
    expect(hooksOf('a', text)).toEqual({
      onLoad: [
        { cmd: 'notify up', ...plain },
        { cmd: 'warm', env: { A: '1', B: 'x=y' }, timeoutMs: 90_000, required: true },
      ],
      onUnload: [],
    });
    expect(hooksOf('b', text)).toEqual({
      onLoad: [{ cmd: 'notify up', ...plain }],
      onUnload: [{ cmd: 'cool', ...plain }],
    });
  });

  test('take macros and variables, and keep those that are known only when they run', () => {
    const text = `macros: { tool: curl }
${models}hooks:
  on_load: ["\${tool} -H \${env.TOKEN} \${MODEL_ID} \${PORT} \${PID}"]
`;
    expect(hooksOf('a', text)?.onLoad[0]?.cmd).toBe('curl -H secret ${MODEL_ID} ${PORT} ${PID}');
  });

  test('of one model know its name and its port already', () => {
    const text = 'models:\n  a: { cmd: "x ${PORT}", hooks: { on_load: ["t ${MODEL_ID} ${PORT} ${PID}"] } }\n';
    expect(hooksOf('a', text)?.onLoad[0]?.cmd).toBe('t a 5800 ${PID}');
  });

  test.each([
    [
      'an unknown model',
      'on_load: [{ cmd: x, models: [a, c] }]',
      /c\.yaml:5:35 hooks\.on_load\[0\]\.models\[1\]: 'c' is no local model/,
    ],
    ['an unknown macro', "on_load: ['x ${nope}']", /unknown macro '\$\{nope\}'/],
    ['no command', 'on_load: [{ timeout: 5s }]', /hooks\.on_load\[0\]/],
    ['no time', 'on_load: [{ cmd: x, timeout: 0 }]', /must be at least 1ms/],
  ])('are refused with %s', (_name, line, message) => {
    expect(problemsOf(`${models}hooks:\n  ${line}\n`).join('\n')).toMatch(message);
  });
});
