import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryAnswer, cutAt, joinPieces } from '../../test/dialects/arbitrary-answer.ts';
import type { AnswerEvent } from './ir/answer.ts';
import type { RepairName } from './repairs.ts';
import { createThinkSplitter } from './think-splitter.ts';
import type { ThinkSplitterOptions } from './think-splitter.ts';

/** What comes out for an answer whose text comes in these pieces. */
function split(pieces: readonly string[], options: ThinkSplitterOptions = {}): readonly AnswerEvent[] {
  return through(
    [...pieces.map((text): AnswerEvent => ({ kind: 'text', choice: 0, text })), finished, { kind: 'ended' }],
    options,
  );
}

function through(events: readonly AnswerEvent[], options: ThinkSplitterOptions = {}): readonly AnswerEvent[] {
  const out: AnswerEvent[] = [];
  const take = createThinkSplitter((event) => out.push(event), options);
  for (const event of events) take(event);
  return out;
}

const finished: AnswerEvent = { kind: 'finished', choice: 0, reason: { kind: 'stop' } };

/** Thoughts and text of the events. */
function said(events: readonly AnswerEvent[]): readonly string[] {
  return joinPieces(events).flatMap((event) =>
    event.kind === 'text' || event.kind === 'reasoning' ? [`${event.kind}: ${event.text}`] : [],
  );
}

describe('thoughts in the text of an answer', () => {
  test.each([
    ['<think>why\nnot</think>\n\nyes', ['reasoning: why\nnot', 'text: yes']],
    ['\n<think>\nwhy\n</think>\nyes\n', ['reasoning: why', 'text: yes\n']],
    ['<thinking>why</thinking>yes', ['reasoning: why', 'text: yes']],
    ['<thought>why</thought>yes', ['reasoning: why', 'text: yes']],
    ['[THINK]why[/THINK]yes', ['reasoning: why', 'text: yes']],
    ['<seed:think>why</seed:think>yes', ['reasoning: why', 'text: yes']],
    ['◁think▷why◁/think▷yes', ['reasoning: why', 'text: yes']],
    ['<|START_THINKING|>why<|END_THINKING|>yes', ['reasoning: why', 'text: yes']],
    ['<|channel>thought\nwhy<channel|>yes', ['reasoning: why', 'text: yes']],
    [
      '<|channel|>analysis<|message|>why<|end|><|start|>assistant<|channel|>final<|message|>yes',
      ['reasoning: why', 'text: yes'],
    ],
    ['<think>a < b </ c </thin> d</think>yes', ['reasoning: a < b </ c </thin> d', 'text: yes']],
    ['<think>\n\n</think>\n\nyes', ['text: yes']],
    ['<think>cut short', ['reasoning: cut short']],
    ['<think>cut short</thi', ['reasoning: cut short</thi']],
    ['<think>why</think>', ['reasoning: why']],
    ['<think>why</think>yes <think>no</think>', ['reasoning: why', 'text: yes <think>no</think>']],
    ['<think>why</think><|start|>ing over', ['reasoning: why', 'text: <|start|>ing over']],
    ['no <think>thought</think>', ['text: no <think>thought</think>']],
    ['<thin air', ['text: <thin air']],
    ['<', ['text: <']],
    ['  \n', ['text:   \n']],
  ])('%j', (text, expected) => {
    expect(said(split([text]))).toEqual(expected);
    expect(said(split(text.split('')))).toEqual(expected);
    expect(split([text]).slice(-2)).toEqual([finished, { kind: 'ended' }]);
  });

  test('are found in any split', () => {
    const text = '  <think>\n a </thi </think \n b</think>\n\n c';
    const expected = ['reasoning: a </thi </think \n b', 'text: c'];
    fc.assert(
      fc.property(fc.array(fc.nat(text.length)), (cuts) => {
        const pieces = cutAt(Buffer.from(text), cuts).map(String);
        expect(said(split(pieces))).toEqual(expected);
      }),
    );
  });

  test('are told as they come', () => {
    const events = split(['<think>', 'one ', 'two', ' three</th']);
    expect(events.map((event) => ('text' in event ? event.text : event.kind))).toEqual([
      'one',
      ' two',
      ' three',
      '</th',
      'finished',
      'ended',
    ]);
  });

  test('may be open from the beginning', () => {
    expect(said(split(['why', '</think>', 'yes'], { beginsInThought: true }))).toEqual([
      'reasoning: why',
      'text: yes',
    ]);
  });

  test('are reported once', () => {
    const repairs: RepairName[] = [];
    const options = { onRepair: (name: RepairName) => repairs.push(name) };
    split(['no thought'], options);
    expect(repairs).toEqual([]);
    split(['<think>a</think>b'], options);
    expect(repairs).toEqual(['reasoningInText']);
  });

  test('are found in each choice by itself', () => {
    const events = through([
      { kind: 'text', choice: 0, text: '<think>a' },
      { kind: 'text', choice: 1, text: 'b' },
      { kind: 'text', choice: 0, text: '</think>c' },
      { kind: 'ended' },
    ]);
    expect(events).toEqual([
      { kind: 'reasoning', choice: 0, text: 'a' },
      { kind: 'text', choice: 1, text: 'b' },
      { kind: 'text', choice: 0, text: 'c' },
      { kind: 'ended' },
    ]);
  });

  test('are not looked for where the engine tells them apart', () => {
    const events: AnswerEvent[] = [
      { kind: 'reasoning', choice: 0, text: 'a' },
      { kind: 'text', choice: 0, text: '<think>b</think>' },
      { kind: 'ended' },
    ];
    expect(through(events)).toEqual(events);
  });

  test('come before the tool call that follows them', () => {
    const call: AnswerEvent = { kind: 'toolCall', choice: 0, call: 0, id: 'a', name: 'f' };
    expect(through([{ kind: 'text', choice: 0, text: '<think>a</thi' }, call])).toEqual([
      { kind: 'reasoning', choice: 0, text: 'a' },
      { kind: 'reasoning', choice: 0, text: '</thi' },
      call,
    ]);
  });

  test('leave probabilities to the text', () => {
    const logprobs = [{ token: 'b', logprob: -1, top: [] }];
    expect(
      through([
        { kind: 'text', choice: 0, text: '<think>a', logprobs },
        { kind: 'text', choice: 0, text: '</think>', logprobs },
        { kind: 'text', choice: 0, text: 'b', logprobs },
      ]),
    ).toEqual([
      { kind: 'reasoning', choice: 0, text: 'a' },
      { kind: 'text', choice: 0, text: 'b', logprobs },
    ]);
  });
});

test('an answer without tags passes event by event', () => {
  const answers = arbitraryAnswer({ choicesMax: 2 }).filter(
    (events) => !events.some((event) => event.kind === 'text' && event.text.includes('think')),
  );
  fc.assert(
    fc.property(answers, (events) => {
      const out = through(events);
      const ofChoice = (list: readonly AnswerEvent[], choice: number): readonly AnswerEvent[] =>
        list.filter((event) => 'choice' in event && event.choice === choice);
      expect(ofChoice(out, 0)).toEqual(ofChoice(events, 0));
      expect(ofChoice(out, 1)).toEqual(ofChoice(events, 1));
      expect(out).toHaveLength(events.length);
      expect(out.at(-1)).toEqual(events.at(-1));
    }),
  );
});

test('blanks without end are not held back without end', () => {
  const pieces = Array.from({ length: 1000 }, () => '   ');
  const take: AnswerEvent[] = [];
  const splitter = createThinkSplitter((event) => take.push(event));
  for (const text of pieces) splitter({ kind: 'text', choice: 0, text });
  expect(take).toHaveLength(1000);
});
