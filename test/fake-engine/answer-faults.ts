/** Faults inside an answer that is otherwise sound HTTP: they change what the simulated engine says, not how it travels. */
import { gzipSync } from 'node:zlib';

import type { Exchange } from '../../src/sim/engine/exchange.ts';
import type { Fault } from './fault.ts';

const json = 'application/json; charset=utf-8';

/** Answers in the engine's place; false = the engine has to. */
export function answersInstead(exchange: Exchange, fault: Fault, hitsBefore: number): boolean {
  if (fault.kind === 'status') {
    const error = { code: fault.status, message: 'injected', type: 'injected' };
    const { body = JSON.stringify({ error }), headers = {} } = fault;
    exchange.text(fault.status, body, { type: json, headers });
    return true;
  }
  if (fault.kind === 'malformed') {
    exchange.text(200, '{"choices":[{"finish_reason":"stop","index":0,"mess', { type: json });
    return true;
  }
  if (fault.kind === 'flaky' && fault.pattern[hitsBefore % fault.pattern.length] === '0') {
    exchange.json(503, { error: { message: 'flaky', type: 'unavailable_error', code: 503 } });
    return true;
  }
  return false;
}

/** Makes the exchange say something else than the engine wants it to. */
export function distortAnswer(exchange: Exchange, fault: Fault): void {
  if (fault.kind === 'errorFrame') {
    const message = fault.message ?? 'Context size has been exceeded.';
    const error = JSON.stringify({ error: { code: 500, message, type: 'server_error' } });
    cutStream(exchange, fault.afterEvents, `data: ${error}\n\n`);
  } else if (fault.kind === 'rawTail') {
    cutStream(exchange, fault.afterEvents, fault.text ?? 'proxy error: Failed to read connection');
  } else if (fault.kind === 'noDone') {
    const write = exchange.write.bind(exchange);
    exchange.write = (text) => write(text.replace('data: [DONE]\n\n', ''));
  } else if (fault.kind === 'gzip') {
    const text = exchange.text.bind(exchange);
    exchange.text = (status, body, options) =>
      text(status, gzipSync(body), {
        ...options,
        headers: { ...options.headers, 'Content-Encoding': 'gzip' },
      });
  }
}

/** Lets so many events through, then says `last` and ends; the engine sees a client that left. */
function cutStream(exchange: Exchange, eventsMax: number, last: string): void {
  const write = exchange.write.bind(exchange);
  const end = exchange.end.bind(exchange);
  let left = eventsMax;
  let over = false;
  exchange.write = (text) => {
    if (over) return false;
    const events = text.split(/(?<=\n\n)/);
    const passed = events.slice(0, left);
    left -= passed.length;
    if (passed.length === events.length && left > 0) return write(text);
    over = true;
    write(passed.join('') + last);
    end();
    return false;
  };
}
