/**
 * The answers of one connection that are not complete yet, in the order of their requests: the first one is written out, what
 * the others say is held until it is their turn. Knows no requests; when the connection ends is its owner's business.
 */
import type { Socket } from 'node:net';
import { holdWrites } from '../../base/held-writes.ts';
import type { PlainResponse } from './response.ts';

interface Turn {
  readonly response: PlainResponse;
  held: Buffer[];
  heldBytes: number;
}

/** What one answer may say before its turn, until it is told to wait. */
const heldBytesMax = 64 * 1024;

export class Turns {
  readonly #socket: Socket;
  #turns: Turn[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get size(): number {
    return this.#turns.length;
  }

  /** The answer that is written out. */
  get first(): PlainResponse | undefined {
    return this.#turns[0]?.response;
  }

  add(response: PlainResponse): void {
    this.#turns.push({ response, held: [], heldBytes: 0 });
  }

  /** False: the client, or the answers before this one, are slower than that. */
  send(response: PlainResponse, pieces: readonly Buffer[]): boolean {
    if (response === this.first) return this.#write(pieces);
    const turn = this.#turnOf(response);
    if (turn === undefined) return true;
    for (const piece of pieces) {
      turn.held.push(piece);
      turn.heldBytes += piece.length;
    }
    return turn.heldBytes < heldBytesMax;
  }

  needsDrain(response: PlainResponse): boolean {
    if (response === this.first) return this.#socket.writableNeedDrain;
    return (this.#turnOf(response)?.heldBytes ?? 0) >= heldBytesMax;
  }

  /**
   * The first answer is complete: writes what the next ones have said already, up to the first that is not complete. Returns
   * whether one of them was the connection's last; then nothing is written after it.
   */
  next(): boolean {
    let ended = this.#turns.shift();
    while (ended !== undefined) {
      if (ended.response.closes) return true;
      const [turn] = this.#turns;
      if (turn === undefined) return false;
      const takesMore = this.#write(turn.held);
      turn.held = [];
      ended = turn.response.writableEnded ? this.#turns.shift() : undefined;
      if (ended === undefined && takesMore) turn.response.drained();
    }
    return false;
  }

  /** Forgets the first answer: nothing more of it is written. */
  dropFirst(): void {
    this.#turns.shift();
  }

  /** The client has left all of them. */
  leave(): void {
    const turns = this.#turns;
    this.#turns = [];
    for (const { response } of turns) response.left();
  }

  #turnOf(response: PlainResponse): Turn | undefined {
    return this.#turns.find((turn) => turn.response === response);
  }

  #write(pieces: readonly Buffer[]): boolean {
    if (pieces.length === 0) return true;
    holdWrites(this.#socket);
    let takesMore = true;
    for (const piece of pieces) takesMore = this.#socket.write(piece);
    return takesMore;
  }
}
