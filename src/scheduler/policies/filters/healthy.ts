/** Only backends that answered their last checks, or most of them. */
import { defineFilter } from '../../policy.ts';

export const healthy = defineFilter({
  name: 'healthy',
  looksAt: 'backend',
  summary: 'The backend is live or degraded; neither dead nor still unknown.',
  accepts: ({ view }) => view.state === 'live' || view.state === 'degraded' || view.state === 'draining',
});
