import { defineConfig } from 'vitest/config';
import { ClosingReporter } from './test/reporter.ts';

export default defineConfig({
  test: {
    setupFiles: ['test/property-seed.ts'],
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'scripts/**/*.test.ts', 'bench/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Real sockets and processes on two cores: a few files at a time.
    maxWorkers: 2,
    reporters: ['default', new ClosingReporter()],
  },
});
