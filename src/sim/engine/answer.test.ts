import { describe, expect, test } from 'vitest';

import { createRandom } from '../../base/random.ts';
import { createAnswer, type AnswerPlan, type Piece } from './answer.ts';
import { schemaInstance } from './schema-instance.ts';
import { StopWatcher } from './stop-watcher.ts';
import { countTokens, detokenize, tokenize } from './tokens.ts';

const plain: AnswerPlan = {
  seed: 1,
  thinks: false,
  tools: [],
  schema: undefined,
  endless: false,
  text: 'english',
};

function all(plan: AnswerPlan): Piece[] {
  const answer = createAnswer(plan);
  const pieces: Piece[] = [];
  for (let piece = answer.next(); piece !== undefined && pieces.length < 1000; piece = answer.next())
    pieces.push(piece);
  return pieces;
}

describe('createAnswer', () => {
  test('writes sentences, the same for the same seed', () => {
    const text = all(plain)
      .map((piece) => piece.text)
      .join('');
    expect(text).toMatch(/^( The \w+ \w+ \w+ the \w+[\w ]*\.)+$/);
    expect(all(plain)).toEqual(all({ ...plain }));
    expect(all({ ...plain, seed: 2 })).not.toEqual(all(plain));
  });

  test('ends by itself unless it is endless', () => {
    expect(all(plain).length).toBeLessThan(250);
    expect(all({ ...plain, endless: true })).toHaveLength(1000);
  });

  test('thinks before it speaks', () => {
    const kinds = all({ ...plain, thinks: true }).map(({ kind }) => kind);
    expect(kinds[0]).toBe('reasoning');
    expect(kinds.at(-1)).toBe('text');
    expect(kinds.lastIndexOf('reasoning')).toBeLessThan(kinds.indexOf('text'));
  });

  test('calls an offered tool with arguments that fit', () => {
    const parameters = {
      type: 'object',
      properties: { city: { type: 'string' }, days: { type: 'integer' } },
    };
    const answer = all({ ...plain, tools: [{ name: 'weather', parameters }] });
    expect(answer.every(({ kind }) => kind === 'arguments')).toBe(true);
    expect(JSON.parse(answer.map(({ text }) => text).join(''))).toEqual({
      city: expect.any(String),
      days: expect.any(Number),
    });
  });
});

describe('schemaInstance', () => {
  const random = createRandom(1);
  test.each([
    [{ const: 7 }, 7],
    [{ enum: ['only'] }, 'only'],
    [{ type: 'integer', minimum: 3, maximum: 3 }, 3],
    [{ type: 'array', items: { const: 'a' }, minItems: 2 }, ['a', 'a']],
    [{ type: 'string', minLength: 12, maxLength: 12 }, expect.stringMatching(/^.{12}$/)],
    [{ anyOf: [{ const: 1 }, { const: 2 }] }, 1],
    [{ properties: { a: { type: ['null', 'string'] } } }, { a: null }],
    [{ $ref: '#/$defs/x', $defs: { x: { const: 'found' } } }, 'found'],
  ])('fits %j', (schema, expected) => {
    expect(schemaInstance(schema, random)).toEqual(expected);
  });

  test('stops at a bounded depth when a schema contains itself', () => {
    const schema = {
      $ref: '#/$defs/x',
      $defs: { x: { type: 'object', properties: { x: { $ref: '#/$defs/x' } } } },
    };
    expect(JSON.stringify(schemaInstance(schema, random)).length).toBeLessThan(200);
  });
});

describe('StopWatcher', () => {
  function feedAll(stops: string[], pieces: string[]) {
    const watcher = new StopWatcher(stops);
    const shown = pieces.map((piece) => (watcher.stoppedBy === '' ? watcher.feed(piece) : ''));
    return { shown, rest: watcher.flush(), stoppedBy: watcher.stoppedBy };
  }

  test('passes everything on without stops', () => {
    expect(feedAll([], ['a', 'b'])).toEqual({ shown: ['a', 'b'], rest: '', stoppedBy: '' });
  });

  test('ends before a stop string that spans pieces', () => {
    expect(feedAll(['the end'], ['at the', ' en', 'd of'])).toEqual({
      shown: ['at ', '', ''],
      rest: '',
      stoppedBy: 'the end',
    });
  });

  test('shows what only looked like a beginning', () => {
    expect(feedAll(['the end'], ['at the', ' sea'])).toEqual({
      shown: ['at ', 'the sea'],
      rest: '',
      stoppedBy: '',
    });
    expect(feedAll(['the end'], ['at the'])).toEqual({ shown: ['at '], rest: 'the', stoppedBy: '' });
  });

  test('takes the earliest of several', () => {
    expect(feedAll(['b', 'a'], ['xaxb'])).toMatchObject({ shown: ['x'], stoppedBy: 'a' });
  });
});

describe('tokens', () => {
  test('come back as the text they were made of', () => {
    const text = 'The river, 河流 and 🦙 run.';
    const tokens = tokenize(text);
    expect(tokens).toHaveLength(countTokens(text));
    expect(detokenize(tokens.map(({ id }) => id))).toBe(text);
  });
});
