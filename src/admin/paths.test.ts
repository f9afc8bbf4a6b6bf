import { describe, expect, test } from 'vitest';
import { isAdminPath, isOpenAdminPath } from './paths.ts';

describe('admin paths', () => {
  test.each(['/api/chat', '/api/generate', '/api/embed', '/api/embeddings'])(
    '%s is an engine route',
    (path) => {
      expect(isAdminPath(path)).toBe(false);
    },
  );

  test.each(['/health', '/wol-health', '/monitor', '/monitor/data'])(
    '%s belongs to the admin API and is open',
    (path) => {
      expect(isAdminPath(path)).toBe(true);
      expect(isOpenAdminPath(path)).toBe(true);
    },
  );

  test.each([
    '/metrics',
    '/api',
    '/api/status',
    '/api/requests/x/cancel',
    '/running',
    '/unload',
    '/logs',
    '/logs/stream',
    '/logs/stream/org/model',
    '/servers',
    '/api/servers',
  ])('%s needs a key', (path) => {
    expect(isAdminPath(path)).toBe(true);
    expect(isOpenAdminPath(path)).toBe(false);
  });

  test.each([
    '/',
    '/v1/models',
    '/apis',
    '/monitors',
    '/monitor/other',
    '/health/x',
    '/metricsx',
    '/logs/x',
    '/unload/x',
    '/servers/x',
  ])('%s does not belong to the admin API', (path) => {
    expect(isAdminPath(path)).toBe(false);
    expect(isOpenAdminPath(path)).toBe(false);
  });
});
