import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clusterDomain, nodeAddresses, nodeName } from './node-addresses.ts';
import { describeKubeconfig } from './node-files.ts';

/** Who has a kubeconfig `NAME.kubeconfig`: its user and group. */
const users = {
  admin: ['admin', 'system:masters'],
  'kube-controller-manager': ['system:kube-controller-manager', 'system:authenticated'],
  'kube-scheduler': ['system:kube-scheduler', 'system:authenticated'],
  'kube-proxy': ['system:kube-proxy', 'system:authenticated'],
  kubelet: [`system:node:${nodeName}`, 'system:nodes'],
  coredns: ['coredns', 'system:masters'],
} as const;

/**
 * Writes into `folder`: a CA, the API server's certificate and its client certificate towards the kubelet in `pki/`, a
 * token and kubeconfig for everybody else. Returns the administrator's token. Needs openssl; all of it is valid for 30 days.
 */
export function writeCredentials(folder: string): string {
  const pki = join(folder, 'pki');
  mkdirSync(pki, { recursive: true, mode: 0o700 });
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', `kubernetes.default.svc.${clusterDomain}`];
  const addresses = ['127.0.0.1', nodeAddresses.node, nodeAddresses.kubernetesService];
  writeKey(pki, 'service-account');
  sign(pki, 'ca', ['CN = belay-test-ca'], ['basicConstraints = critical,CA:TRUE', 'keyUsage = critical,keyCertSign,cRLSign']);
  sign(pki, 'kube-apiserver', ['CN = kube-apiserver'], [
    'extendedKeyUsage = serverAuth', `subjectAltName = ${[...names.map((name) => `DNS:${name}`), ...addresses.map((address) => `IP:${address}`)].join(',')}`,
  ]);
  sign(pki, 'kubelet-client', ['O = system:masters', 'CN = kube-apiserver-kubelet-client'], ['extendedKeyUsage = clientAuth']);

  const tokens = Object.entries(users).map(([name, [user, group]]) => ({ name, user, group, token: randomBytes(16).toString('hex') }));
  writeFileSync(join(pki, 'tokens.csv'), tokens.map(({ token, user, group }) => `${token},${user},${user},"${group}"\n`).join(''), { mode: 0o600 });
  for (const { name, token } of tokens) writeFileSync(join(folder, `${name}.kubeconfig`), describeKubeconfig(folder, token), { mode: 0o600 });
  return tokens.find(({ name }) => name === 'admin')?.token ?? '';
}

function writeKey(pki: string, name: string): void {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(join(pki, `${name}.key`), privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
  writeFileSync(join(pki, `${name}.pub`), publicKey.export({ format: 'pem', type: 'spki' }));
}

/** A key and a certificate `NAME.crt`: of the CA by itself, of all others by the CA. */
function sign(pki: string, name: string, subject: readonly string[], extensions: readonly string[]): void {
  writeKey(pki, name);
  const config = join(pki, `${name}.cnf`);
  writeFileSync(config, ['[req]', 'prompt = no', 'distinguished_name = subject', 'x509_extensions = extensions', '[subject]', ...subject, '[extensions]', ...extensions, ''].join('\n'));
  const issuer = name === 'ca' ? [] : ['-CA', join(pki, 'ca.crt'), '-CAkey', join(pki, 'ca.key')];
  execFileSync('openssl', ['req', '-x509', '-new', '-config', config, '-key', join(pki, `${name}.key`), ...issuer, '-days', '30', '-out', join(pki, `${name}.crt`)], { stdio: ['ignore', 'ignore', 'pipe'] });
}
