/** Whether the certificate that clients are served with is good today, and for how long yet. That it fits its key is seen when the configuration is loaded. */
import { X509Certificate } from 'node:crypto';
import { fault, good, type Finding } from './finding.ts';

/** What renews certificates does so a month before; two weeks before, it has failed for long. */
const soonMs = 14 * 86_400_000;

/** `file`: how the configuration calls it. `pem`: what is in it. */
export function checkCertificate(file: string, pem: string, nowEpochMs: number): Finding {
  const { validFromDate: from, validToDate: to } = new X509Certificate(pem);
  const day = (date: Date): string => date.toISOString().slice(0, 10);
  const change = 'renew it and reload (kill -HUP, or serve with --watch)';
  if (nowEpochMs > to.getTime()) {
    return fault(file, { level: 'error', saw: `the certificate was good until ${day(to)}`, change });
  }
  if (nowEpochMs < from.getTime()) {
    const clock = 'set the clock of this machine, or wait';
    return fault(file, {
      level: 'error',
      saw: `the certificate is good from ${day(from)} on`,
      change: clock,
    });
  }
  const saw = `the certificate is good until ${day(to)}`;
  if (to.getTime() - nowEpochMs < soonMs) return fault(file, { level: 'warning', saw, change });
  return good(file, saw);
}
