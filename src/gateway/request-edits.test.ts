import { describe, expect, test } from 'vitest';
import type { ResolvedFilters } from '../config/models.ts';
import { editJsonBody } from './request-edits.ts';

const none: ResolvedFilters = { stripParams: [], setParams: [], setParamsById: new Map() };

function edit(
  body: string,
  options: { model?: string; filters?: Partial<ResolvedFilters>; requested?: string },
): string {
  const edits = { model: options.model, filters: { ...none, ...options.filters } };
  return editJsonBody(Buffer.from(body), edits, options.requested).toString();
}

describe('edits of a JSON body', () => {
  test('UTL-9 rename, strip, set, then set by the requested name', () => {
    const body = '{"model":"big", "temperature": 1,"seed":12345678901234567890,"top_p":0.5}';
    const edited = edit(body, {
      model: 'real',
      requested: 'big:high',
      filters: {
        stripParams: [['temperature']],
        setParams: [{ path: ['top_p'], json: '0.9' }],
        setParamsById: new Map([
          ['big:high', [{ path: ['top_p'], json: '0.1' }]],
          ['other', [{ path: ['x'], json: '1' }]],
        ]),
      },
    });
    expect(JSON.parse(edited)).toMatchObject({ model: 'real', top_p: 0.1 });
    expect(edited).not.toContain('temperature');
    expect(edited).toContain('"seed":12345678901234567890');
  });

  test.each([
    ['makes the objects on the way', '{"a":1}', '{"a":1,"k":{"e":"high"}}'],
    ['keeps what else is in them', '{"k":{"x":[1, 2],"e":"low"}}', '{"k":{"x":[1, 2],"e":"high"}}'],
    ['replaces what is no object', '{"k":7}', '{"k":{"e":"high"}}'],
  ])('a path sets one member and %s', (_name, body, expected) => {
    expect(
      JSON.parse(edit(body, { filters: { setParams: [{ path: ['k', 'e'], json: '"high"' }] } })),
    ).toEqual(JSON.parse(expected));
  });

  test('a path removes one member and nothing that is not there', () => {
    const filters = {
      stripParams: [
        ['k', 'e'],
        ['gone', 'x'],
      ],
    };
    expect(JSON.parse(edit('{"k":{"e":1,"f":2},"z":3}', { filters }))).toEqual({ k: { f: 2 }, z: 3 });
  });

  test('a body that is no JSON object stays as it is', () => {
    expect(edit('not json', { model: 'x' })).toBe('not json');
  });
});
