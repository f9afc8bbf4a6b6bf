/** Answers for property tests: valid sequences of events, and any split of bytes. */
import fc from 'fast-check';
import type { AnswerEvent, FinishReason, TokenLogprob, Usage } from '../../src/dialects/ir/answer.ts';
import { arbitraryArguments, arbitraryText, arbitraryToolName } from './arbitrary-values.ts';

/** What may occur; everything that a member does not forbid does. */
export interface AnswerShape {
  /** Choices in one answer. Default 1. */
  readonly choicesMax?: number;
  readonly parts?: readonly ('reasoning' | 'text' | 'refusal' | 'toolCall')[];
  /**
   * `normal`: thoughts, then text, then calls, each call whole before the next. `any` (default): parts in any order, the
   * pieces of choices and of open tool calls mixed.
   */
  readonly order?: 'normal' | 'any';
  /** Parts of a choice that are no tool calls. Default 3; 1 with `normal` order: of each kind. */
  readonly partsMax?: number;
  readonly callsMax?: number;
  readonly customCalls?: boolean;
  readonly reasoningProofs?: readonly ('signature' | 'encrypted')[];
  readonly logprobs?: boolean;
  readonly reasons?: readonly FinishReason['kind'][];
  /** A stop reason may name the stop text. */
  readonly stopTexts?: boolean;
  /** Members of usage beside the two counts that are always there. */
  readonly usage?: readonly ('cachedTokens' | 'cacheWriteTokens' | 'reasoningTokens')[];
  /** Answers without any usage. Default true. */
  readonly usageMissing?: boolean;
  readonly timings?: boolean;
  readonly progress?: boolean;
  /** Last event. Default both. */
  readonly endings?: readonly ('ended' | 'failed')[];
}

/** A valid sequence of events of the shape, from `started` to `ended` or `failed`. */
export function arbitraryAnswer(shape: AnswerShape = {}): fc.Arbitrary<readonly AnswerEvent[]> {
  return fc
    .record({
      started: arbitraryStarted,
      progress: shape.progress === false ? fc.constant([]) : arbitraryProgress,
      choices: fc
        .array(arbitraryChoice(shape), { minLength: 1, maxLength: shape.choicesMax ?? 1 })
        .map((choices) =>
          choices.map((pieces, choice) => pieces.map((piece): AnswerEvent => ({ ...piece, choice }))),
        ),
      mix: arbitraryMix,
      usage:
        shape.usageMissing === false
          ? arbitraryUsage(shape)
          : fc.option(arbitraryUsage(shape), { nil: undefined }),
      timings:
        shape.timings === false ? fc.constant(undefined) : fc.option(arbitraryTimings, { nil: undefined }),
      ending: fc.constantFrom(...(shape.endings ?? (['ended', 'failed'] as const))),
      cut: fc.nat(),
    })
    .map(({ started, progress, choices, mix, usage, timings, ending, cut }) => {
      const body = shape.order === 'normal' ? choices.flat() : mixed(choices, mix);
      const tail: AnswerEvent[] = [];
      if (usage !== undefined) tail.push({ kind: 'usage', usage });
      if (timings !== undefined) tail.push(timings);
      const whole = [...progress, ...body, ...tail];
      if (ending === 'ended') return [started, ...whole, { kind: 'ended' }];
      const failed: AnswerEvent = { kind: 'failed', error: { message: 'the engine died', status: 500 } };
      return [started, ...whole.slice(0, cut % (whole.length + 1)), failed];
    });
}

/** The bytes in pieces, cut anywhere, also inside characters; together they are the same bytes. */
export function splitAnywhere(bytes: Buffer): fc.Arbitrary<readonly Buffer[]> {
  return fc.oneof(
    fc.array(fc.nat(bytes.length), { maxLength: 20 }).map((cuts) => cutAt(bytes, cuts)),
    fc.constant(
      cutAt(
        bytes,
        Array.from(bytes, (_byte, index) => index),
      ),
    ),
  );
}

/** The bytes cut at these offsets, in any order; empty pieces where offsets repeat. */
export function cutAt(bytes: Buffer, offsets: readonly number[]): readonly Buffer[] {
  const points = [0, ...offsets.toSorted((one, other) => one - other), bytes.length];
  return points.slice(1).map((end, index) => bytes.subarray(points[index], end));
}

/** The answer's events with neighbouring pieces of the same thing joined: how readers cut them up does not matter. */
export function joinPieces(events: readonly AnswerEvent[]): readonly AnswerEvent[] {
  const joined: AnswerEvent[] = [];
  for (const event of events) {
    const last = joined.at(-1);
    if (last === undefined || !isSameThing(last, event)) joined.push(event);
    else joined[joined.length - 1] = joinTwo(last, event);
  }
  return joined;
}

type PieceEvent = Extract<AnswerEvent, { text: string }>;

function isPiece(event: AnswerEvent): event is PieceEvent {
  return 'text' in event;
}

function isSameThing(one: AnswerEvent, other: AnswerEvent): boolean {
  if (!isPiece(one) || !isPiece(other)) return false;
  if (one.kind !== other.kind || one.choice !== other.choice) return false;
  return one.kind !== 'toolArguments' || (other.kind === 'toolArguments' && one.call === other.call);
}

function joinTwo(one: AnswerEvent, other: AnswerEvent): AnswerEvent {
  if (!isPiece(one) || !isPiece(other)) return other;
  const text = one.text + other.text;
  if (one.kind !== 'text' || other.kind !== 'text') return { ...one, text };
  const logprobs = [...(one.logprobs ?? []), ...(other.logprobs ?? [])];
  return { ...one, text, ...(logprobs.length > 0 && { logprobs }) };
}

/** Which list the next event is from, over and over. */
const arbitraryMix = fc.array(fc.nat(7), { minLength: 1, maxLength: 20 });

type Started = Extract<AnswerEvent, { kind: 'started' }>;

const arbitraryStarted: fc.Arbitrary<Started> = fc.record(
  {
    kind: fc.constant('started'),
    id: fc.stringMatching(/^chatcmpl-[A-Za-z0-9]{4,8}$/),
    model: fc.constant('some/model:q4'),
    createdS: fc.integer({ min: 1_700_000_000, max: 1_900_000_000 }),
    fingerprint: fc.stringMatching(/^fp_[a-z0-9]{2,6}$/),
  },
  { requiredKeys: ['kind'] },
);

const arbitraryProgress: fc.Arbitrary<readonly AnswerEvent[]> = fc.array(
  fc.record({ kind: fc.constant('progress'), done: fc.nat(100), total: fc.constant(100) }),
  { maxLength: 2 },
);

const arbitraryTimings: fc.Arbitrary<AnswerEvent> = fc
  .record({
    promptTokens: fc.nat(999),
    predictedTokens: fc.nat(999),
    promptMs: fc.nat(9999),
    predictedMs: fc.nat(9999),
  })
  .map((timings) => ({ kind: 'timings', timings }));

function arbitraryUsage(shape: AnswerShape): fc.Arbitrary<Usage> {
  const may = (name: 'cachedTokens' | 'cacheWriteTokens' | 'reasoningTokens'): boolean =>
    shape.usage === undefined || shape.usage.includes(name);
  return fc.record(
    {
      inputTokens: fc.integer({ min: 200, max: 9999 }),
      outputTokens: fc.integer({ min: 100, max: 9999 }),
      ...(may('cachedTokens') && { cachedTokens: fc.nat(100) }),
      ...(may('cacheWriteTokens') && { cacheWriteTokens: fc.nat(100) }),
      ...(may('reasoningTokens') && { reasoningTokens: fc.nat(100) }),
    },
    { requiredKeys: ['inputTokens', 'outputTokens'] },
  ) as fc.Arbitrary<Usage>;
}

type WithoutChoice<Event> = Event extends { readonly choice: number } ? Omit<Event, 'choice'> : never;
type Piece = WithoutChoice<AnswerEvent>;

const arbitraryLogprobs: fc.Arbitrary<readonly TokenLogprob[]> = fc.array(
  fc.record({
    token: arbitraryText,
    logprob: fc.integer({ min: -99, max: -1 }).map((value) => value / 10),
    bytes: fc.array(fc.nat(255), { minLength: 1, maxLength: 3 }),
    top: fc.array(
      fc.record({
        token: arbitraryText,
        logprob: fc.integer({ min: -99, max: -1 }).map((value) => value / 10),
        bytes: fc.array(fc.nat(255), { minLength: 1, maxLength: 3 }),
      }),
      { maxLength: 2 },
    ),
  }),
  { minLength: 1, maxLength: 2 },
);

/** Pieces of one kind of text. */
function arbitraryPieces(
  kind: 'text' | 'reasoning' | 'refusal',
  shape: AnswerShape,
): fc.Arbitrary<readonly Piece[]> {
  const hasLogprobs = kind === 'text' && shape.logprobs !== false;
  const piece = fc.record({
    text: arbitraryText,
    logprobs: hasLogprobs ? fc.option(arbitraryLogprobs, { nil: undefined }) : fc.constant(undefined),
  });
  return fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) =>
    pieces.map(({ text, logprobs }): Piece => ({
      kind,
      text,
      ...(logprobs !== undefined && { logprobs }),
    })),
  );
}

function arbitraryThought(shape: AnswerShape): fc.Arbitrary<readonly Piece[]> {
  const proofs = shape.reasoningProofs ?? ['signature', 'encrypted'];
  const thought = arbitraryPieces('reasoning', shape);
  if (proofs.length === 0) return thought;
  const proof = fc
    .option(fc.constantFrom(...proofs), { nil: undefined })
    .map((name): readonly Piece[] =>
      name === undefined ? [] : [{ kind: 'reasoningProof', [name]: 'c2lnbmF0dXJl' }],
    );
  return fc.tuple(thought, proof).map(([pieces, end]) => [...pieces, ...end]);
}

function arbitraryCallPieces(shape: AnswerShape): fc.Arbitrary<readonly Piece[]> {
  const custom = shape.customCalls === false ? fc.constant(false) : fc.boolean();
  return fc
    .record({
      name: arbitraryToolName,
      custom,
      json: arbitraryArguments,
      free: arbitraryText,
      cuts: fc.array(fc.nat(40), { maxLength: 3 }),
    })
    .map(({ name, custom: isCustom, json, free, cuts }) => {
      const text = isCustom ? free : json;
      const points = [
        0,
        ...cuts.filter((cut) => cut < text.length).toSorted((one, other) => one - other),
        text.length,
      ];
      const pieces = points.slice(1).map((end, index) => text.slice(points[index], end));
      return [
        { kind: 'toolCall', call: 0, id: '', name, ...(isCustom && { custom: true }) },
        ...pieces
          .filter((piece) => piece !== '')
          .map((piece) => ({ kind: 'toolArguments' as const, call: 0, text: piece })),
      ];
    });
}

function arbitraryChoice(shape: AnswerShape): fc.Arbitrary<readonly Piece[]> {
  const may = (kind: 'reasoning' | 'text' | 'refusal' | 'toolCall'): boolean =>
    shape.parts?.includes(kind) ?? true;
  const thought = arbitraryThought(shape);
  const speech = arbitraryPieces('text', shape);
  const refusal = arbitraryPieces('refusal', shape);
  const isNormal = shape.order === 'normal';
  const partsMax = shape.partsMax ?? (isNormal ? 1 : 3);
  const some = (kind: 'reasoning' | 'text' | 'refusal', pieces: typeof speech): typeof speech =>
    may(kind) ? fc.array(pieces, { maxLength: partsMax }).map((parts) => parts.flat()) : fc.constant([]);
  const kinds = [
    ...(may('reasoning') ? [thought] : []),
    ...(may('text') ? [speech] : []),
    ...(may('refusal') ? [refusal] : []),
  ];
  const said =
    isNormal || kinds.length === 0
      ? fc
          .tuple(some('reasoning', thought), some('text', speech), some('refusal', refusal))
          .map((parts) => parts.flat())
      : fc.array(fc.oneof(...kinds), { maxLength: partsMax }).map((parts) => parts.flat());
  return fc
    .record({
      said,
      calls: may('toolCall')
        ? fc.array(arbitraryCallPieces(shape), { maxLength: shape.callsMax ?? 3 })
        : fc.constant<readonly (readonly Piece[])[]>([]),
      mix: arbitraryMix,
      reason: arbitraryReason(shape),
    })
    .map(({ said: before, calls, mix, reason }) => {
      const numbered = calls.map((pieces, call) =>
        pieces.map((piece): Piece => {
          if (piece.kind === 'toolCall') return { ...piece, call, id: `call_${call}` };
          return piece.kind === 'toolArguments' ? { ...piece, call } : piece;
        }),
      );
      const called = isNormal ? numbered.flat() : inOrderOfBirth(mixed(numbered, mix));
      const end: FinishReason = calls.length > 0 && reason.kind === 'stop' ? { kind: 'toolCalls' } : reason;
      return [...before, ...called, { kind: 'finished', reason: end }];
    });
}

function arbitraryReason(shape: AnswerShape): fc.Arbitrary<FinishReason> {
  const reasons: readonly fc.Arbitrary<FinishReason>[] = [
    fc.record(
      { kind: fc.constant('stop'), ...(shape.stopTexts !== false && { stopText: arbitraryText }) },
      { requiredKeys: ['kind'] },
    ) as fc.Arbitrary<FinishReason>,
    fc.constantFrom<FinishReason>({ kind: 'length' }),
    fc.constantFrom<FinishReason>({ kind: 'filtered' }),
    fc.constantFrom<FinishReason>({ kind: 'refused' }),
    fc.constantFrom<FinishReason>({ kind: 'paused' }),
    fc.constantFrom<FinishReason>({ kind: 'other', reason: 'abort' }),
  ];
  const names: readonly FinishReason['kind'][] = ['stop', 'length', 'filtered', 'refused', 'paused', 'other'];
  return fc.oneof(...reasons.filter((_, index) => shape.reasons?.includes(names[index] ?? 'stop') ?? true));
}

/** The lists merged; each keeps its own order. */
function mixed<Value>(lists: readonly (readonly Value[])[], picks: readonly number[]): Value[] {
  const rest = lists.filter((list) => list.length > 0).map((list) => [...list]);
  const merged: Value[] = [];
  while (rest.length > 0) {
    const at = (picks[merged.length % picks.length] ?? 0) % rest.length;
    const list = rest[at] ?? [];
    merged.push(...list.splice(0, 1));
    if (list.length === 0) rest.splice(at, 1);
  }
  return merged;
}

/** Calls numbered again in the order in which they begin. */
function inOrderOfBirth(pieces: readonly Piece[]): readonly Piece[] {
  const numbers = new Map<number, number>();
  return pieces.map((piece): Piece => {
    if (piece.kind === 'toolCall') {
      const call = numbers.size;
      numbers.set(piece.call, call);
      return { ...piece, call, id: `call_${call}` };
    }
    return piece.kind === 'toolArguments' ? { ...piece, call: numbers.get(piece.call) ?? 0 } : piece;
  });
}
