import { expect, test } from '@jest/globals';
import { isRecentGo, parseGoVersion } from './go-toolchain.ts';

test.each([
  ['the Go of this recipe builds Kubernetes', 'go version go1.26.8 linux/amd64', true],
  ['a release candidate of a newer Go does', 'go version go1.27rc1 linux/arm64', true],
  ['a development build of a newer Go does', 'go version go1.28-devel_a1b2c3 linux/amd64', true],
  ['Debian 12 brings one that is too old', 'go version go1.19.8 linux/amd64', false],
  ['another major version counts from its own zero', 'go version go2.0.0 linux/amd64', true],
  ['a command of the same name that is no Go does not', 'Go is a board game. Usage: go [-h]', false],
  ['a command that prints nothing does not', '', false],
])('%s', (_sentence, output, recent) => {
  expect(isRecentGo(parseGoVersion(output))).toBe(recent);
});
