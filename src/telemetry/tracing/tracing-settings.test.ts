import { describe, expect, test } from 'vitest';
import { readTracingSettings } from './tracing-settings.ts';

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' };

describe('tracing', () => {
  test('is off without an endpoint, when it is disabled, and when nothing is to be exported', () => {
    expect(readTracingSettings({}).settings).toBeUndefined();
    expect(readTracingSettings({ OTEL_SERVICE_NAME: 'x' }).settings).toBeUndefined();
    expect(readTracingSettings({ ...endpoint, OTEL_SDK_DISABLED: 'TRUE' }).settings).toBeUndefined();
    expect(readTracingSettings({ ...endpoint, OTEL_TRACES_EXPORTER: 'none' }).settings).toBeUndefined();
  });

  test('has the defaults of the standard', () => {
    expect(readTracingSettings(endpoint)).toEqual({
      settings: {
        url: 'http://collector:4318/v1/traces',
        headers: {},
        timeoutMs: 10_000,
        gzip: false,
        batch: { intervalMs: 5000, spansMax: 512, waitingMax: 4096 },
        resource: { 'service.name': 'llamero' },
        sampler: 'parentbased_always_on',
        ratio: 1,
      },
      warnings: [],
    });
  });

  test('takes the standard variables, those of traces before those of all signals', () => {
    const { settings, warnings } = readTracingSettings({
      ...endpoint,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces:4318/own/path',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a%20b, x-tenant=7',
      OTEL_EXPORTER_OTLP_TIMEOUT: '1500',
      OTEL_SERVICE_NAME: 'router-1',
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=no,deployment.environment.name=lab',
      OTEL_TRACES_SAMPLER: 'traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_PROPAGATORS: 'tracecontext,baggage',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_BSP_SCHEDULE_DELAY: '250',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '64',
      OTEL_BSP_MAX_QUEUE_SIZE: '1000',
    });
    expect(settings).toEqual({
      url: 'https://traces:4318/own/path',
      headers: { 'x-key': 'a b', 'x-tenant': '7' },
      timeoutMs: 1500,
      gzip: true,
      batch: { intervalMs: 250, spansMax: 64, waitingMax: 1000 },
      resource: { 'service.name': 'router-1', 'deployment.environment.name': 'lab' },
      sampler: 'traceidratio',
      ratio: 0.25,
    });
    expect(warnings).toEqual([]);
  });

  test('says what it cannot use, and never the value of a header', () => {
    const { settings, warnings } = readTracingSettings({
      ...endpoint,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_HEADERS: 'secret',
      OTEL_EXPORTER_OTLP_TIMEOUT: 'soon',
      OTEL_TRACES_SAMPLER: 'dice',
      OTEL_TRACES_SAMPLER_ARG: '2',
      OTEL_TRACES_EXPORTER: 'console',
      OTEL_PROPAGATORS: 'b3',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'zstd',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '0',
      OTEL_BSP_MAX_QUEUE_SIZE: '10',
    });
    expect(settings).toMatchObject({
      timeoutMs: 10_000,
      sampler: 'parentbased_always_on',
      ratio: 1,
      headers: {},
      gzip: false,
      // Never more in one batch than may wait.
      batch: { spansMax: 10, waitingMax: 10 },
    });
    expect(warnings).toHaveLength(9);
    expect(warnings.join()).not.toContain('secret');
  });

  test('is off, with a reason, when the endpoint is no address', () => {
    const { settings, warnings } = readTracingSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317' });
    expect([settings, warnings.length]).toEqual([undefined, 1]);
  });
});
