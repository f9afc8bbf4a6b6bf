/**
 * Writes another model name into a request, at the place where it names one: JSON body, form field, or query. Whatever
 * stands around it stays byte for byte.
 */
import { patchJsonObject } from '../base/json-patch.ts';
import type { BodyFacts } from './peek.ts';

/** What of a request can name a model. */
export interface NamingRequest {
  /** Request target as received: path and query. */
  readonly url: string;
  readonly body: Buffer;
  /** What `peekBody` found in it. */
  readonly peeked: BodyFacts;
}

export interface Renamed {
  readonly url: string;
  readonly body: Buffer;
}

/** The same strings and buffers when the request has the name already. A JSON body that names no model gets one. */
export function renameModel({ url, body, peeked }: NamingRequest, to: string): Renamed {
  if (peeked.model === to) return { url, body };
  const { kind, modelSpan, object } = peeked;
  if (kind === 'json' && (modelSpan !== undefined || peeked.model === undefined)) {
    return { url, body: patchJsonObject(body, { set: { model: JSON.stringify(to) } }, object) ?? body };
  }
  if (kind === 'multipart' && modelSpan !== undefined) {
    const parts = [body.subarray(0, modelSpan.start), Buffer.from(to), body.subarray(modelSpan.end)];
    return { url, body: Buffer.concat(parts) };
  }
  if (kind === 'urlencoded') {
    const form = body.toString('latin1');
    const renamed = renameInForm(form, to);
    if (renamed !== form) return { url, body: Buffer.from(renamed, 'latin1') };
  }
  const mark = url.indexOf('?');
  if (mark === -1) return { url, body };
  return { url: url.slice(0, mark + 1) + renameInForm(url.slice(mark + 1), to), body };
}

/** Every `model=` of a query or form body; the other pairs keep their own way of escaping. */
function renameInForm(form: string, to: string): string {
  return form
    .split('&')
    .map((pair) => (new URLSearchParams(pair).has('model') ? `model=${encodeURIComponent(to)}` : pair))
    .join('&');
}
