/** What the router tells of itself and its backends to those who watch. */
import { z } from 'zod';
import { describe } from './values.ts';

export const telemetryShape = {
  telemetry: describe(
    'What is told to monitoring systems. Traces are configured by the standard `OTEL_` variables (docs/tracing.md).',
    z
      .strictObject({
        metrics: describe(
          'The page `/metrics`.',
          z
            .strictObject({
              backends: describe(
                "Show the backends' own metrics on it, too, each with the label `backend`; those that take longer than 1.5 s are left out.",
                z.boolean().default(false),
              ),
            })
            .prefault({}),
        ),
      })
      .prefault({}),
  ),
};
