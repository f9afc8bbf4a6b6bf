/**
 * Whole requests and answers of the last while, compressed, in a budget of memory: the oldest leave first. Nothing is
 * ever written to disk. Compression happens later and one at a time, never while a request waits for it.
 */
import { zstdCompress, zstdDecompress } from 'node:zlib';
import { promisify } from 'node:util';
import type { Clock } from '../base/clock.ts';
import { CaptureDraft, type CapturedBodies, type CaptureMask, type DraftBudget } from './capture-draft.ts';
import { redactHeaders } from './redact-headers.ts';

export interface Capture {
  readonly id: number;
  readonly path: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly requestBody: Buffer;
  readonly responseHeaders: Readonly<Record<string, string>>;
  readonly responseBody: Buffer;
}

export interface CaptureSource {
  readonly path: string;
  /** Flat lists; secrets are masked here. */
  readonly requestHeaders: readonly string[];
  readonly responseHeaders: readonly string[];
  readonly draft: CaptureDraft;
  /** False: the answer was an error, of which only the head is kept. */
  readonly keepsAnswer: boolean;
}

interface Entry {
  /** Counted against the budget. */
  bytes: number;
  /** Whole until it is compressed. */
  content: { readonly whole: Whole } | { readonly packed: Buffer };
  evicted: boolean;
}

type Whole = Omit<CaptureSource, 'draft' | 'keepsAnswer'> & Omit<CapturedBodies, 'bytes'>;

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
/** About what a line of headers takes, which nobody counts. */
const headBytesUsual = 1024;
/** So that a busy router spends no more than a small part of its time on it. */
const pauseMs = 100;
/** Of more requests a second than anybody can look at, only some are kept. */
const perSecondMax = 100;

const everything: CaptureMask = { requestBody: true, responseBody: true };
const asked: CaptureMask = { requestBody: true, responseBody: false };
const answered: CaptureMask = { requestBody: false, responseBody: true };
const heads: CaptureMask = { requestBody: false, responseBody: false };

/** Sound and pictures are large and say little. */
const masks: ReadonlyMap<string, CaptureMask> = new Map([
  ['/v1/audio/speech', asked],
  ['/v1/images/generations', asked],
  ['/sdapi/v1/txt2img', asked],
  ['/v1/audio/voices', answered],
  ['/v1/audio/transcriptions', answered],
  ['/v1/images/edits', heads],
  ['/sdapi/v1/img2img', heads],
]);

export class Captures {
  readonly #entries = new Map<number, Entry>();
  readonly #drafts: DraftBudget;
  readonly #clock: Clock;
  #bytesMax: number;
  #secondBeganMs = Number.NEGATIVE_INFINITY;
  #begunThisSecond = 0;
  #bytes = 0;
  #unpacked: Entry[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** `bytesMax`: for what is kept, and once more for what running requests collect; 0 = nothing is kept. */
  constructor(bytesMax: number, clock: Clock) {
    this.#clock = clock;
    this.#bytesMax = bytesMax;
    this.#drafts = { bytesMax, bytes: 0 };
  }

  /** Takes over another budget. */
  configure(bytesMax: number): void {
    this.#bytesMax = bytesMax;
    this.#drafts.bytesMax = bytesMax;
    this.#evict();
  }

  /** Collects the bodies of a request; undefined when nothing is kept, or there were too many in this second. */
  begin(path: string): CaptureDraft | undefined {
    if (this.#bytesMax === 0 || !this.#hasTime()) return undefined;
    return new CaptureDraft(masks.get(path) ?? everything, this.#drafts);
  }

  /** Ends a draft: keeps it under this id, unless it is larger than the whole budget. */
  add(id: number, { path, requestHeaders, responseHeaders, draft, keepsAnswer }: CaptureSource): void {
    const bodies = draft.take();
    if (bodies === undefined) return;
    const { request } = bodies;
    const response = keepsAnswer ? bodies.response : Buffer.alloc(0);
    const bytes = bodies.bytes + headBytesUsual;
    if (bytes > this.#bytesMax) return;
    const whole = { path, requestHeaders, responseHeaders, request, response };
    const entry: Entry = { bytes, content: { whole }, evicted: false };
    this.#entries.set(id, entry);
    this.#unpacked.push(entry);
    this.#bytes += bytes;
    this.#evict();
    this.#packLater();
  }

  /** Memory that is used now. */
  get bytes(): number {
    return this.#bytes;
  }

  has(id: number): boolean {
    return this.#entries.has(id);
  }

  async get(id: number): Promise<Capture | undefined> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    const { content } = entry;
    const bytes = 'packed' in content ? await decompress(content.packed) : serialize(content.whole);
    const lineEnd = bytes.indexOf('\n');
    const { requestBytes, ...head } = JSON.parse(bytes.toString('utf8', 0, lineEnd)) as Head;
    const bodiesAt = lineEnd + 1;
    return {
      id,
      ...head,
      requestBody: bytes.subarray(bodiesAt, bodiesAt + requestBytes),
      responseBody: bytes.subarray(bodiesAt + requestBytes),
    };
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#entries.clear();
    this.#unpacked = [];
    this.#bytes = 0;
  }

  #hasTime(): boolean {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#secondBeganMs >= 1000) {
      this.#secondBeganMs = nowMs;
      this.#begunThisSecond = 0;
    }
    this.#begunThisSecond += 1;
    return this.#begunThisSecond <= perSecondMax;
  }

  #evict(): void {
    for (const [id, entry] of this.#entries) {
      if (this.#bytes <= this.#bytesMax) return;
      entry.evicted = true;
      this.#entries.delete(id);
      this.#bytes -= entry.bytes;
    }
  }

  #packLater(): void {
    this.#timer ??= setTimeout(() => void this.#packNext(), pauseMs).unref();
  }

  async #packNext(): Promise<void> {
    this.#unpacked = this.#unpacked.filter(({ evicted }) => !evicted);
    const next = this.#unpacked.shift();
    if (next !== undefined && 'whole' in next.content) {
      const packed = await compress(serialize(next.content.whole));
      if (!next.evicted) this.#bytes += packed.length - next.bytes;
      next.bytes = packed.length;
      next.content = { packed };
    }
    this.#timer = undefined;
    if (this.#unpacked.length > 0) this.#packLater();
  }
}

/** One line of JSON, then both bodies. */
function serialize({ path, requestHeaders, responseHeaders, request, response }: Whole): Buffer {
  const head: Head = {
    path,
    requestHeaders: redactHeaders(requestHeaders),
    responseHeaders: redactHeaders(responseHeaders),
    requestBytes: request.length,
  };
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), request, response]);
}

interface Head {
  readonly path: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly responseHeaders: Readonly<Record<string, string>>;
  readonly requestBytes: number;
}
