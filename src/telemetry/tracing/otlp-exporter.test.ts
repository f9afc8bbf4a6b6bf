import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { startOtlpCollector } from '../../../test/otlp-collector.ts';
import { OtlpExporter, type OtlpExporterOptions } from './otlp-exporter.ts';
import type { Span } from './span.ts';
import { newSpanId, newTraceId } from './trace-context.ts';

function span(changes: Partial<Span> = {}): Span {
  return {
    traceId: newTraceId(),
    spanId: newSpanId(),
    parentSpanId: undefined,
    traceState: '',
    name: 'chat qwen',
    kind: 'server',
    startEpochMs: 1_700_000_000_000.25,
    endEpochMs: 1_700_000_001_000,
    attributes: {},
    links: [],
    failed: false,
    ...changes,
  };
}

const batch = { intervalMs: 5000, spansMax: 512, waitingMax: 4096 };

function setUp(url: string, more: Partial<OtlpExporterOptions['settings']> = {}) {
  const lines: string[] = [];
  const note = (_: unknown, text?: string): void => void lines.push(text ?? '');
  const exporter = new OtlpExporter({
    settings: {
      url: `${url}/v1/traces`,
      headers: { 'x-key': 'k' },
      timeoutMs: 2000,
      gzip: false,
      batch,
      ...more,
    },
    resource: { 'service.name': 'llamero' },
    version: '1.2.3',
    log: { warn: note, info: note } as OtlpExporterOptions['log'],
  });
  return { exporter, lines };
}

describe('exporter', () => {
  test('delivers spans as the protocol wants them, with the headers that were asked for', async () => {
    await using collector = await startOtlpCollector();
    const { exporter } = setUp(collector.url);
    const link = { traceId: newTraceId(), spanId: newSpanId() };
    const attributes = {
      'gen_ai.request.model': 'qwen',
      'gen_ai.usage.input_tokens': 12,
      'gen_ai.request.stream': true,
      'gen_ai.response.time_to_first_chunk': 0.5,
      'error.type': undefined,
    };
    exporter.add([
      span({ attributes, links: [link], parentSpanId: newSpanId(), traceState: 'a=1', failed: true }),
    ]);
    await exporter.close(2000);
    expect(collector.problems).toEqual([]);
    expect(collector.headers[0]?.['x-key']).toBe('k');
    expect(collector.spans).toHaveLength(1);
    expect(collector.spans[0]).toMatchObject({
      name: 'chat qwen',
      kind: 2,
      startTimeUnixNano: '1700000000000250000',
      endTimeUnixNano: '1700000001000000000',
      links: [link],
      status: { code: 2 },
      resource: { 'service.name': 'llamero' },
    });
    expect(collector.spans[0]?.attributes).toEqual({
      'gen_ai.request.model': 'qwen',
      'gen_ai.usage.input_tokens': 12,
      'gen_ai.request.stream': true,
      'gen_ai.response.time_to_first_chunk': 0.5,
    });
    expect(exporter.counts).toEqual({ exported: 1, dropped: 0 });
  });

  test('sends many in several batches', async () => {
    await using collector = await startOtlpCollector();
    const { exporter } = setUp(collector.url);
    exporter.add(Array.from({ length: 1300 }, () => span()));
    await exporter.close(5000);
    expect(collector.spans).toHaveLength(1300);
    expect(collector.headers.length).toBe(3);
  });

  test('compresses where that is wanted, and sends a small batch as soon as it is full', async () => {
    await using collector = await startOtlpCollector();
    const { exporter } = setUp(collector.url, { gzip: true, batch: { ...batch, spansMax: 2 } });
    exporter.add([span(), span()]);
    const deadlineMs = performance.now() + 4000;
    while (exporter.counts.exported < 2 && performance.now() < deadlineMs) await pause(5);
    expect(collector.problems).toEqual([]);
    expect(collector.spans).toHaveLength(2);
    expect(collector.headers[0]?.['content-encoding']).toBe('gzip');
    await exporter.close(2000);
  });

  test('keeps no more than it may, and counts the others', async () => {
    await using collector = await startOtlpCollector();
    const { exporter } = setUp(collector.url, { batch: { ...batch, waitingMax: 5 } });
    exporter.add(Array.from({ length: 8 }, () => span()));
    expect(exporter.counts.dropped).toBe(3);
    await exporter.close(2000);
    expect(exporter.counts).toEqual({ exported: 5, dropped: 3 });
  });

  test('says once that a collector cannot be reached, and gives up after some tries', async () => {
    await using collector = await startOtlpCollector();
    collector.status = 503;
    const { exporter, lines } = setUp(collector.url);
    exporter.add([span()]);
    await exporter.close(2000);
    expect(collector.headers).toHaveLength(3);
    expect(lines).toEqual(['traces cannot be delivered']);
    expect(exporter.counts).toEqual({ exported: 0, dropped: 1 });
  });

  test('does not send again what was refused for good', async () => {
    await using collector = await startOtlpCollector();
    collector.status = 400;
    const { exporter } = setUp(collector.url);
    exporter.add([span()]);
    await exporter.close(2000);
    expect(collector.headers).toHaveLength(1);
    expect(exporter.counts.dropped).toBe(1);
  });

  test('does not wait at its end longer than it may', async () => {
    const { exporter } = setUp('http://192.0.2.1', { timeoutMs: 60_000 });
    exporter.add([span()]);
    const startedMs = performance.now();
    await exporter.close(100);
    expect(performance.now() - startedMs).toBeLessThan(2000);
    expect(exporter.counts.dropped).toBe(1);
  });
});
