/**
 * Where a conversation can be cut so that what remains is one: it begins with a user's words, and no tool result stands
 * there without its call. Knows nothing of sizes.
 */
import type { Message } from '../ir/parts.ts';

/** What remains: some messages of a user, and every message from another one on. Indexes into the messages that were given. */
export interface Cut {
  readonly first: number;
  readonly count: number;
  readonly from: number;
}

/**
 * Every cut, the one that leaves most first; each leaves a part of what the one before it left. Whole turns go before
 * parts of the last one. Of that the user's words stay, and the exchange that the model is to go on with.
 * @param spoken the conversation without system and developer messages
 */
export function* cutsOf(spoken: readonly Message[]): Generator<Cut, undefined> {
  const isFree = freeCuts(spoken);
  const lastUser = spoken.findLastIndex(({ role }) => role === 'user');
  const lastTurn = spoken.findLastIndex((_, index) => beginsTurn(spoken, index));
  if (lastTurn === -1) return;
  for (let first = 1; first <= lastTurn; first += 1) {
    if (beginsTurn(spoken, first) && isFree(first)) yield { first, count: 1, from: first + 1 };
  }
  const isExchange = (index: number): boolean => spoken[index]?.role === 'assistant' && isFree(index);
  const wordsEnd = endOfWords(spoken, lastTurn);
  const hasRemarks = lastUser >= wordsEnd;
  let from = wordsEnd;
  for (let index = from + 1; index < (hasRemarks ? lastUser : spoken.length); index += 1) {
    if (!isExchange(index)) continue;
    from = index;
    yield { first: lastTurn, count: wordsEnd - lastTurn, from };
  }
  if (!hasRemarks) {
    if (!isFree(from)) return;
    for (let first = lastTurn + 1; first < wordsEnd; first += 1)
      yield { first, count: wordsEnd - first, from };
    return;
  }
  for (let index = lastUser + 1; index < spoken.length; index += 1) {
    if (isExchange(index)) yield { first: lastUser, count: 1, from: index };
  }
}

/** A user's message that follows results of tools is a remark within the turn: the model has not answered them yet. */
function beginsTurn(spoken: readonly Message[], index: number): boolean {
  return spoken[index]?.role === 'user' && (index === 0 || spoken[index - 1]?.role === 'assistant');
}

/** After the messages with which a user began a turn. */
function endOfWords(spoken: readonly Message[], turn: number): number {
  const end = spoken.findIndex(({ role }, index) => index > turn && role !== 'user');
  return end === -1 ? spoken.length : end;
}

/** Whether all results from an index on have their calls there, too. */
function freeCuts(spoken: readonly Message[]): (index: number) => boolean {
  const callers = new Map<string, number>();
  const earliest: number[] = [];
  let lastCaller = 0;
  spoken.forEach(({ role, parts }, index) => {
    if (role === 'assistant') lastCaller = index;
    let needed = index;
    for (const part of parts) {
      if (part.kind === 'toolCall') callers.set(part.id, index);
      else if (part.kind === 'toolResult') needed = Math.min(needed, callers.get(part.callId) ?? lastCaller);
    }
    earliest.push(needed);
  });
  for (let index = earliest.length - 2; index >= 0; index -= 1) {
    earliest[index] = Math.min(earliest[index] ?? 0, earliest[index + 1] ?? 0);
  }
  return (index) => (earliest[index] ?? index) >= index;
}
