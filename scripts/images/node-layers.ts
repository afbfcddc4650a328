import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { buildLayer, type Layer } from './build-layer.ts';
import { sharedLibraries } from './shared-libraries.ts';
import type { ImageConfig } from './write-archive.ts';

const nonroot = 65532;
const home = 'home/nonroot';

/** What every image has, as distroless images do: users, a home, a folder for temporary files, certificates to trust. */
export function baseLayer(): Layer {
  return buildLayer([
    { type: 'file', path: 'etc/passwd', content: ['root:x:0:0:root:/', 'nobody:x:65534:65534:nobody:/', `nonroot:x:${nonroot}:${nonroot}:nonroot:/${home}`].map((user) => `${user}:/sbin/nologin\n`).join('') },
    { type: 'file', path: 'etc/group', content: `root:x:0:\nnobody:x:65534:\nnonroot:x:${nonroot}:\n` },
    { type: 'file', path: 'etc/nsswitch.conf', content: 'hosts: files dns\n' },
    // Those that Node brings: the same on every machine.
    { type: 'file', path: 'etc/ssl/certs/ca-certificates.crt', content: `${rootCertificates.join('\n')}\n` },
    { type: 'folder', path: home, mode: 0o700, uid: nonroot },
    { type: 'folder', path: 'tmp', mode: 0o1777, uid: 0 },
  ]);
}

/** `/nodejs/bin/node` and the libraries that it loads. */
export function nodeLayer(): Layer {
  const node = nodeProgram();
  return buildLayer([{ type: 'copy', path: 'nodejs/bin/node', from: node, executable: true }, ...sharedLibraries(node)]);
}

/** Runs as somebody who may do nothing; arguments are Node's: a program in /app. By number: a kubelet cannot tell that a name is not root's. */
export const nodeConfig: ImageConfig = {
  Entrypoint: ['/nodejs/bin/node'], User: String(nonroot), WorkingDir: '/app', Env: ['SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt'],
};

/** The Node of package-lock.json: the same for everybody, whatever runs this script. */
function nodeProgram(): string {
  const require = createRequire(import.meta.url);
  return join(dirname(require.resolve(`node-linux-${process.arch}/package.json`)), 'bin', 'node');
}
