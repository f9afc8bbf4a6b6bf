import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fakeReading, fakeTopRequest } from '../../../test/top/readings.ts';
import { readLogLine } from './log-lines.ts';
import { ansiPaint, plainPaint } from './paint.ts';
import { renderTop, type View } from './render-top.ts';
import { widthOf } from './text-width.ts';
import { initialState, panes, withLogLines, type TopState } from './top-state.ts';

const gibibyte = 1024 ** 3;

const reading = fakeReading(
  [
    { id: 'desk', own: 3, loaded: ['qwen3-8b'], tokensPerSecond: 42.4 },
    { id: 'rack', state: 'dead', reason: 'ECONNREFUSED', models: ['gemma3-27b'] },
    {
      id: 'mistral-24b',
      own: 2,
      slots: 2,
      loaded: ['mistral-24b'],
      process: { pid: 4711, ttl_seconds: 600 },
      vramBytes: 14.5 * gibibyte,
    },
    { id: '通义千问', state: 'starting', process: { pid: 4712, ttl_seconds: 0 }, models: ['通义千问'] },
    {
      id: 'broken',
      state: 'stopped',
      error: 'Exited with code 1',
      models: ['broken'],
      process: { pid: null, ttl_seconds: 0 },
    },
  ],
  [
    fakeTopRequest('9e3e6c89', { phase: 'queued', position: 1, backend_id: null, output_tokens: null }),
    fakeTopRequest('0e0bdba1', { model_id: 'mistral-24b', backend_id: 'mistral-24b', input_tokens: 1234 }),
    fakeTopRequest('a1', { model_id: null, requested_model: null, phase: 'waiting', age_seconds: 65 }),
  ],
  { queue: { depth: 1 } },
);

const quiet = initialState('127.0.0.1:8700', reading);
const state: TopState = withLogLines(
  { ...quiet, selected: { models: 'mistral-24b' } },
  ['llama_model_loader: loaded meta data', 'main: server is listening on http://127.0.0.1:5801'].map((line) =>
    readLogLine(line, 'upstream'),
  ),
);

const view = (columns: number, rows: number): View => ({
  columns,
  rows,
  isInteractive: true,
  paint: plainPaint,
});
const screen = (shown: TopState, size: View) => `\n${renderTop(shown, size).join('\n')}\n`;

describe('renderTop', () => {
  test('shows everything where there is room', () => {
    expect(screen(state, view(110, 24))).toMatchInlineSnapshot(`
      "
      llamero 0.1.0  127.0.0.1:8700  up 2h03m
      slots 5/6  queue 1  1.5 req/s  72 tok/s  3 sessions
        BACKENDS 2  STATE  SLOTS  TOK/S  LOADED    ENGINE    URL
        desk        live     3/4     42  qwen3-8b  llamacpp  http://desk:8080
        rack        dead     0/4                   llamacpp  http://rack:8080  ECONNREFUSED
      > MODELS 5     STATE     BUSY  QUEUE  TTL  MEMORY   PID  WHERE
      > mistral-24b  live       2/2         10m  15 GiB  4711  here
        通义千问     starting     0                      4712  here
        broken       failed       0                            Exited with code 1
        gemma3-27b   away         0                            rack
        qwen3-8b     loaded       3      1                     desk
        REQUESTS 3   PHASE        AGE  OUT    IN  BACKEND      FROM   ROUTE             ID
        qwen3-8b     queued #1   4.2s       ~650               alice  chat-completions  9e3e6c89
        mistral-24b  streaming   4.2s   85  1.2k  mistral-24b  alice  chat-completions  0e0bdba1
        -            waiting    1m05s   85  ~650  desk         alice  chat-completions  a1
        LOGS
        llama_model_loader: loaded meta data
        main: server is listening on http://127.0.0.1:5801





      q quit  ? help  Tab pane  ↑↓ select  l load  u unload  d drain  x cancel
      "
    `);
  });

  test('shows the load of GPUs where somebody watches them', () => {
    const watched = fakeReading([
      { id: 'idle', gpuPercent: 0 },
      { id: 'busy', gpuPercent: 91.6 },
      { id: 'silent', gpuPercent: null },
      { id: 'nobody' },
    ]);
    const lines = renderTop(initialState('a:1', watched), view(110, 24)).slice(2, 7);
    expect(`\n${lines.join('\n')}\n`).toMatchInlineSnapshot(`
      "
        BACKENDS 4  STATE  SLOTS  TOK/S  GPU  LOADED  ENGINE    URL
        idle        live     0/4          0%          llamacpp  http://idle:8080
        busy        live     0/4         92%          llamacpp  http://busy:8080
        silent      live     0/4           ?          llamacpp  http://silent:8080
        nobody      live     0/4                      llamacpp  http://nobody:8080
      "
    `);
  });

  test('drops columns and cuts names on 40 columns', () => {
    expect(screen(state, view(40, 20))).toMatchInlineSnapshot(`
      "
      llamero 0.1.0  127.0.0.1:8700  up 2h03m
      slots 5/6  queue 1  1.5 req/s  72 tok/s…
        BACKENDS 2  STATE  SLOTS  TOK/S
        desk        live     3/4     42
        rack        dead     0/4
      > MODELS 5     STATE     BUSY  QUEUE
      > mistral-24b  live       2/2
        通义千问     starting     0
        broken       failed       0
        gemma3-27b   away         0
        qwen3-8b     loaded       3      1
        REQUESTS 3   PHASE        AGE  OUT
        qwen3-8b     queued #1   4.2s
        mistral-24b  streaming   4.2s   85
        -            waiting    1m05s   85
        LOGS
        llama_model_loader: loaded meta data
        main: server is listening on http://1…

      q quit  ? help  Tab pane  ↑↓ select  l …
      "
    `);
  });

  test('shows the pane with the keys alone where there are few rows', () => {
    expect(screen({ ...state, pane: 'requests' }, view(60, 8))).toMatchInlineSnapshot(`
      "
      llamero 0.1.0  127.0.0.1:8700  up 2h03m
      slots 5/6  queue 1  1.5 req/s  72 tok/s  3 sessions
      > REQUESTS 3   PHASE        AGE  OUT    IN  BACKEND
        qwen3-8b     queued #1   4.2s       ~650
        mistral-24b  streaming   4.2s   85  1.2k  mistral-24b
        -            waiting    1m05s   85  ~650  desk

      q quit  ? help  Tab pane  ↑↓ select  l load  u unload  d dr…
      "
    `);
  });

  test('is as wide and long as it has to be when nobody sits there', () => {
    const once = { columns: Infinity, rows: Infinity, isInteractive: false, paint: plainPaint };
    expect(screen(state, once)).toMatchInlineSnapshot(`
      "
      llamero 0.1.0  127.0.0.1:8700  up 2h03m
      slots 5/6  queue 1  1.5 req/s  72 tok/s  3 sessions
        BACKENDS 2  STATE  SLOTS  TOK/S  LOADED    ENGINE    URL
        desk        live     3/4     42  qwen3-8b  llamacpp  http://desk:8080
        rack        dead     0/4                   llamacpp  http://rack:8080  ECONNREFUSED
        MODELS 5     STATE     BUSY  QUEUE  TTL  MEMORY   PID  WHERE
        mistral-24b  live       2/2         10m  15 GiB  4711  here
        通义千问     starting     0                      4712  here
        broken       failed       0                            Exited with code 1
        gemma3-27b   away         0                            rack
        qwen3-8b     loaded       3      1                     desk
        REQUESTS 3   PHASE        AGE  OUT    IN  BACKEND      FROM   ROUTE             ID
        qwen3-8b     queued #1   4.2s       ~650               alice  chat-completions  9e3e6c89
        mistral-24b  streaming   4.2s   85  1.2k  mistral-24b  alice  chat-completions  0e0bdba1
        -            waiting    1m05s   85  ~650  desk         alice  chat-completions  a1
        LOGS
        llama_model_loader: loaded meta data
        main: server is listening on http://127.0.0.1:5801
      "
    `);
  });

  test('says that the router is gone, and shows what it knew', () => {
    const [, , third, ...rest] = renderTop({ ...state, fault: 'No answer (ECONNREFUSED)' }, view(80, 30));
    expect(third).toBe('No answer (ECONNREFUSED); trying again');
    expect(rest.join('\n')).toContain('mistral-24b');
  });

  test('names a demo and a drain', () => {
    const marked = { ...reading, status: { ...reading.status, demo: true, draining: true } };
    expect(renderTop({ ...state, reading: marked }, view(80, 20))[0]).toMatch(/DEMO {2}DRAINING$/);
  });

  test('scrolls so that the selected row is in sight', () => {
    const requests = Array.from({ length: 50 }, (_, index) =>
      fakeTopRequest(`r${index}`, { model_id: `m${index}` }),
    );
    const many: TopState = {
      ...initialState('x', fakeReading([], requests)),
      pane: 'requests',
      selected: { requests: 'r40' },
    };
    const lines = renderTop(many, view(80, 8));
    expect(lines.find((line) => line.includes('REQUESTS'))).toMatch(/^> REQUESTS 4 of 50/);
    expect(lines.filter((line) => /^. m\d+/.test(line)).map((line) => line.slice(0, 5))).toEqual([
      '  m37',
      '  m38',
      '  m39',
      '> m40',
    ]);
  });

  test('shows older lines of a log that is scrolled back', () => {
    const lines = Array.from({ length: 30 }, (_, index) => readLogLine(`line ${index}`, 'upstream'));
    const scrolled = { ...withLogLines({ ...quiet, pane: 'logs' as const }, lines), logOffset: 20 };
    const shown = renderTop(scrolled, view(60, 8));
    expect(shown.slice(2, 7)).toEqual(['> LOGS, 20 newer', '  line 6', '  line 7', '  line 8', '  line 9']);
  });

  test('shows its keys in the help, and the answer to the last one at the bottom', () => {
    expect(screen({ ...state, showsHelp: true }, view(80, 20))).toContain('cancel the selected request');
    expect(renderTop({ ...state, notice: 'unload a: ok' }, view(80, 20)).at(-1)).toBe('unload a: ok');
  });

  test('with colors has the same letters in the same places', () => {
    const painted = renderTop(state, { ...view(90, 24), paint: ansiPaint });
    expect(painted.join('')).toContain('\u001b[32m');
    expect(painted.map((line) => stripVTControlCharacters(line).trimEnd())).toEqual(
      renderTop(state, view(90, 24)).map((line) => line.trimEnd()),
    );
  });

  test('never leaves the screen, however small', () => {
    const sizes = fc.record({
      columns: fc.integer({ min: 2, max: 130 }),
      rows: fc.integer({ min: 1, max: 40 }),
    });
    fc.assert(
      fc.property(sizes, fc.constantFrom(...panes), fc.boolean(), ({ columns, rows }, pane, showsHelp) => {
        const lines = renderTop({ ...state, pane, showsHelp, fault: 'gone' }, view(columns, rows));
        expect(lines).toHaveLength(rows);
        for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns);
      }),
    );
  });
});
