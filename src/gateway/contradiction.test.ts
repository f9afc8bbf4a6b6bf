import { describe, expect, test } from 'vitest';

import { scanJsonObject } from '../base/json-scan.ts';
import { findContradiction } from './contradiction.ts';

function find(text: string): string | undefined {
  const body = Buffer.from(text);
  return findContradiction(body, scanJsonObject(body)!);
}

describe('findContradiction', () => {
  test.each([
    ['{"model":"a","model":"b"}', "'model' stands there twice, and differently"],
    ['{"model":"a","model":null}', "'model' stands there twice, and differently"],
    ['{"stream":true,"messages":[],"stream":false}', "'stream' stands there twice, and differently"],
    ['{"MODEL":"a"}', "'MODEL' is 'model' for some engines and unknown to others"],
    [String.raw`{"mod\u0045l":"a"}`, "'modEl' is 'model' for some engines and unknown to others"],
    ['{"\u017ftream":true}', "'\u017ftream' is 'stream' for some engines and unknown to others"],
    ['{"Stream_options":{}}', "'Stream_options' is 'stream_options' for some engines and unknown to others"],
  ])('sees one in %s', (text, expected) => {
    expect(find(text)).toBe(expected);
  });

  test.each([
    '{}',
    '{"model":"a","stream":true,"stream_options":{"include_usage":true}}',
    '{"model":"a","model":"a"}',
    '{"models":"a","Mode":"b","streams":1,"metadata":{"Model":"c","model":"d"}}',
  ])('sees none in %s', (text) => {
    expect(find(text)).toBeUndefined();
  });
});
