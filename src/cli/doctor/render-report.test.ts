import { describe, expect, test } from 'vitest';
import { ansiPaint, plainPaint } from '../top/paint.ts';
import { fault, good } from './finding.ts';
import { renderJson, renderText } from './render-report.ts';

const results = [
  { check: 'machine', findings: [good('Node', '24.9.0')] },
  { check: 'peers', findings: [] },
  {
    check: 'backends',
    findings: [
      fault('a', { level: 'error', saw: 'nobody listens', change: 'start it' }),
      fault('b', { level: 'warning', saw: 'named \u001b[31mred\nline', change: 'rename it' }),
    ],
  },
];

describe('the report', () => {
  test('tells what was seen and what to change, without the checks that had nothing to look at', () => {
    expect(renderText(results, plainPaint)).toBe(
      [
        'machine',
        '  ok       Node: 24.9.0',
        '',
        'backends',
        '  error    a: nobody listens',
        '           → start it',
        '  warning  b: named red line',
        '           → rename it',
        '',
        '1 error, 1 warning',
        '',
      ].join('\n'),
    );
  });

  test('paints levels on a terminal', () => {
    expect(renderText(results, ansiPaint)).toContain('\u001b[31merror  \u001b[0m');
  });

  test('says so when everything is well', () => {
    expect(renderText(results.slice(0, 1), plainPaint)).toMatch(/\n\nEverything is well\.\n$/);
  });

  test('is one JSON object for programs', () => {
    expect(JSON.parse(renderJson(results, '1.2.3'))).toEqual({
      version: '1.2.3',
      ok: false,
      counts: { ok: 1, note: 0, warning: 1, error: 1 },
      findings: [
        { check: 'machine', subject: 'Node', level: 'ok', saw: '24.9.0', change: null },
        { check: 'backends', subject: 'a', level: 'error', saw: 'nobody listens', change: 'start it' },
        {
          check: 'backends',
          subject: 'b',
          level: 'warning',
          saw: 'named \u001b[31mred\nline',
          change: 'rename it',
        },
      ],
    });
  });
});
