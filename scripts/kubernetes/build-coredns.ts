import { join } from 'node:path';
import { belayCache } from '../belay-cache.ts';
import { ensureGoProgram } from './build-go-program.ts';

/** Path of a CoreDNS with the plugins that a node of the tests needs, built from the Go modules that coredns/go.mod pins. */
export function ensureCoreDNS(log: (line: string) => void): Promise<string> {
  return ensureGoProgram({
    name: 'coredns', source: join(import.meta.dirname, 'coredns'), files: ['go.mod', 'go.sum', 'main.go'],
    folder: belayCache('coredns'), linkerFlags: ['-s', '-w'],
    announcement: 'Building CoreDNS (the first time takes 1 to 2 minutes on 2 cores).',
  }, log);
}
