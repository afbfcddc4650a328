import { describe, expect, test } from '@jest/globals';
import { AddressRefused, describeListenError, failureFromNode, type AttemptPhase } from './failure-from-node.ts';

const coded = (code: string): Error => Object.assign(new Error(`text of ${code}`), { code });

describe('what Node reports is a failure of its class', () => {
  test.each<[string, AttemptPhase, string, string]>([
    ['ECONNREFUSED', 'connecting', 'Unreachable', 'connection refused'],
    ['ENOTFOUND', 'connecting', 'Unreachable', 'name not found in DNS'],
    ['EAI_AGAIN', 'connecting', 'Unreachable', 'DNS gave no answer'],
    ['ECONNRESET', 'connecting', 'Unreachable', 'connection closed before it was up'],
    ['ECONNRESET', 'sent', 'Transient', 'connection reset'],
    ['ECONNRESET', 'answering', 'Transient', 'connection reset'],
    ['EPIPE', 'sent', 'Transient', 'connection closed while the request was sent'],
    ['ETIMEDOUT', 'connecting', 'Timeout', 'connection timed out'],
    ['CERT_HAS_EXPIRED', 'connecting', 'Unreachable', 'certificate has expired'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'connecting', 'Unreachable', 'certificate is self-signed: add its CA to tls.caCertificateRefs'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'connecting', 'Unreachable', 'certificate is for another host name'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'connecting', 'Unreachable', 'TLS failed'],
    ['HPE_INVALID_CONSTANT', 'sent', 'Transient', 'answer is not HTTP'],
    ['Z_BUF_ERROR', 'answering', 'Transient', 'compressed answer is damaged'],
    ['ENEW', 'connecting', 'Unreachable', 'could not connect (ENEW)'],
    ['ENEW', 'answering', 'Transient', 'connection failed (ENEW)'],
  ])('%s while %s: %s, %s', (code, phase, name, detail) => {
    expect(failureFromNode(coded(code), phase)).toMatchObject({ class: name, detail, status: null });
  });

  test('several addresses that all fail count as the first', () => {
    expect(failureFromNode(new AggregateError([coded('ECONNREFUSED'), coded('ENETUNREACH')]), 'connecting').detail).toBe('connection refused');
  });

  test('the error\'s own words are not handed on', () => {
    expect(failureFromNode(new Error('secret words of an upstream'), 'answering').detail).toBe('connection failed');
  });

  test('an address that is not dialled says which', () => {
    expect(failureFromNode(new AddressRefused('x resolves to fe80::1'), 'connecting')).toMatchObject({ class: 'Unreachable', detail: 'x resolves to fe80::1' });
  });

  test('a connection that timed out was silent', () => {
    expect(failureFromNode(coded('ETIMEDOUT'), 'sent').silent).toBe(true);
    expect(failureFromNode(coded('ETIMEDOUT'), 'answering').silent).toBe(false);
  });
});

test.each([
  ['EADDRINUSE', 'port 7411 on 127.0.0.1 is in use: stop what listens there, or choose another port'],
  ['EACCES', 'port 7411 on 127.0.0.1 may not be opened by this user: choose one above 1023'],
  ['EADDRNOTAVAIL', '127.0.0.1 is no address of this machine: choose 127.0.0.1, or one that it has'],
  ['ENEW', 'could not listen on 127.0.0.1:7411 (ENEW)'],
])('a port that does not open is one sentence: %s', (code, sentence) => {
  expect(describeListenError(coded(code), '127.0.0.1', 7411)).toBe(sentence);
});
