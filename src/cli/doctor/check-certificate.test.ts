import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { selfSigned } from '../../../test/fixtures/self-signed.ts';
import { checkCertificate } from './check-certificate.ts';

const { cert } = selfSigned();
const endMs = new X509Certificate(cert).validToDate.getTime();
const dayMs = 86_400_000;

test.each([
  ['an hour after its end', endMs + dayMs / 24, 'error', /^the certificate was good until \d{4}-/],
  ['an hour before its end', endMs - dayMs / 24, 'warning', /^the certificate is good until \d{4}-/],
  [
    'two days before its end, which is before its beginning',
    endMs - 2 * dayMs,
    'error',
    /is good from \d{4}/,
  ],
])('checkCertificate judges a certificate %s', (_when, nowMs, level, saw) => {
  expect(checkCertificate('a.pem', cert, nowMs)).toMatchObject({
    level,
    subject: 'a.pem',
    saw: expect.stringMatching(saw),
  });
});
