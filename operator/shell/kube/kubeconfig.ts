import { existsSync, readFileSync } from 'node:fs';
import type { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type RequestOptions } from 'node:https';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Cluster, KubeConfig, User } from '@kubernetes/client-node';
import type { ApiServerAddress, ClientCredentials } from './https-client.ts';

/** One context of a kubeconfig: whom to ask, as whom, and where by default. */
export interface KubeAccess {
  readonly address: ApiServerAddress;
  readonly context: string;
  /** Of the context; null: it names none. */
  readonly namespace: string | null;
  /** For what goes over a WebSocket. */
  readonly config: KubeConfig;
}

export interface KubeconfigOptions {
  /** A context by name; else the current one. */
  readonly context?: string | undefined;
  /** KUBECONFIG, HOME and the proxy variables. */
  readonly env?: NodeJS.ProcessEnv;
}

/** PEM of a client certificate, or what an exec plugin printed. */
type Pem = RequestOptions['cert'];

/**
 * Reads one kubeconfig, or those that kubectl would read: the files of KUBECONFIG, of which the first that says something wins and missing ones are
 * passed over, else `~/.kube/config` (Kubernetes documentation, "Organizing Cluster Access Using kubeconfig Files"). Rejects with one sentence. Loads
 * the Kubernetes client, which no program needs that has no kubeconfig.
 */
export async function loadKubeconfig(path?: string, { context, env = process.env }: KubeconfigOptions = {}): Promise<KubeAccess> {
  const files = filesOf(path, env);
  const config = mergeFiles((await import('@kubernetes/client-node')).KubeConfig, files);
  const name = context ?? config.getCurrentContext();
  chooseContext(config, name, context !== undefined, files.join(', '));
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error(`Context "${name}" of kubeconfig ${files.join(', ')} names a cluster that is not there: add it, or choose another context.`);
  nameCluster(config.getCurrentUser(), cluster.server);
  return { config, context: name, namespace: config.getContextObject(name)?.namespace ?? null, address: await addressOf(config, cluster, env) };
}

async function addressOf(config: KubeConfig, cluster: Cluster, env: NodeJS.ProcessEnv): Promise<ApiServerAddress> {
  const { server, skipTLSVerify, tlsServerName } = cluster;
  const insecure = skipTLSVerify === true;
  // Of a plain server there is nothing to verify; the client would refuse it.
  if (server.startsWith('http:')) (cluster as { skipTLSVerify: boolean }).skipTLSVerify = true;
  return {
    server,
    ...trustOf(cluster),
    credentials: () => credentialsOf(config),
    ...(insecure ? { insecure } : {}),
    ...(tlsServerName ? { serverName: tlsServerName } : {}),
    ...(await agentOf(config, cluster, env)),
  };
}

function trustOf({ caFile, caData }: Cluster): Pick<ApiServerAddress, 'ca'> {
  if (caFile) return { ca: () => readFileSync(caFile, 'utf8') };
  return caData ? { ca: Buffer.from(caData, 'base64').toString() } : {};
}

function filesOf(path: string | undefined, env: NodeJS.ProcessEnv): readonly string[] {
  if (path !== undefined) {
    if (!existsSync(path)) throw new Error(`There is no kubeconfig ${path}.`);
    return [path];
  }
  const named = (env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  const files = named.length > 0 ? named : [join(env['HOME'] ?? homedir(), '.kube', 'config')];
  const found = files.filter((file) => existsSync(file));
  if (found.length === 0) throw new Error(`There is no kubeconfig: ${files.join(', ')} ${files.length === 1 ? 'is' : 'are'} not there. Set KUBECONFIG to the one of your cluster.`);
  return found;
}

/** Of entries with the same name the first counts, as in kubectl; the client's own merging refuses them. */
function mergeFiles(Config: typeof KubeConfig, files: readonly string[]): KubeConfig {
  const merged = new Config();
  for (const file of files) {
    const { clusters, users, contexts, currentContext } = readConfig(new Config(), file);
    for (const cluster of clusters) if (!hasName(merged.clusters, cluster)) merged.addCluster(cluster);
    for (const user of users) if (!hasName(merged.users, user)) merged.addUser(user);
    for (const context of contexts) if (!hasName(merged.contexts, context)) merged.addContext(context);
    if (!merged.currentContext && currentContext) merged.setCurrentContext(currentContext);
  }
  return merged;
}

function readConfig(config: KubeConfig, file: string): KubeConfig {
  try {
    // What cannot be used is left out: a context of no use is no reason to refuse the others.
    if (readFileSync(file, 'utf8').trim() !== '') config.loadFromFile(file, { onInvalidEntry: 'filter' });
    return config;
  } catch (error) {
    throw new Error(`kubeconfig ${file} cannot be read: ${firstLine(error)}.`, { cause: error });
  }
}

function hasName(list: readonly { readonly name: string }[], { name }: { readonly name: string }): boolean {
  return list.some((one) => one.name === name);
}

function chooseContext(config: KubeConfig, name: string | undefined, asked: boolean, files: string): void {
  const names = config.contexts.map((one) => one.name);
  const there = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`;
  if (name === undefined || name === '') throw new Error(`kubeconfig ${files} has no current context: set one with kubectl config use-context (${there}).`);
  if (!names.includes(name)) throw new Error(`kubeconfig ${files} has no context "${name}"${asked ? '' : ', which it says is the current one'}: ${there}.`);
  config.setCurrentContext(name);
  const user = config.getContextObject(name)?.user;
  if (user !== undefined && config.getUser(user) === null) throw new Error(`Context "${name}" of kubeconfig ${files} names the user "${user}", who is not there: add it, or choose another context.`);
}

/** Exec plugins are told whom they log in to (Kubernetes documentation, "client-go credential plugins"); the client does not. */
function nameCluster(user: User | null, server: string): void {
  const exec = user?.exec as { apiVersion?: string; provideClusterInfo?: boolean; env?: { name: string; value: string }[] | null } | null | undefined;
  if (exec === null || exec === undefined) return;
  const spec = { interactive: false, ...(exec.provideClusterInfo === true ? { cluster: { server } } : {}) };
  const info = { kind: 'ExecCredential', apiVersion: exec.apiVersion ?? 'client.authentication.k8s.io/v1', spec };
  exec.env = [...(exec.env ?? []), { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }];
}

/** Files and plugins are asked again where what they gave has ended. */
async function credentialsOf(config: KubeConfig): Promise<ClientCredentials> {
  const options = await optionsOf(config);
  const [cert, key] = [pemOf(options.cert), pemOf(options.key as Pem)];
  const basic = typeof options.auth === 'string' ? { authorization: `Basic ${Buffer.from(options.auth).toString('base64')}` } : {};
  return { headers: { ...basic, ...(options.headers as Readonly<Record<string, string>> | undefined) }, ...(cert === undefined || key === undefined ? {} : { cert, key }) };
}

async function optionsOf(config: KubeConfig): Promise<RequestOptions> {
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
    return options;
  } catch (error) {
    throw new Error(describeFailedLogin(config.getCurrentUser(), error), { cause: error });
  }
}

function describeFailedLogin(user: User | null, error: unknown): string {
  const exec = user?.exec as { command?: string; installHint?: string } | null | undefined;
  if (exec?.command === undefined) return `The credentials of user "${user?.name ?? ''}" cannot be used: ${firstLine(error)}.`;
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return `${exec.command}, by which user "${user?.name}" logs in, is not installed${exec.installHint === undefined ? '.' : `: ${exec.installHint.trim()}`}`;
  return `${exec.command}, by which user "${user?.name}" logs in, failed: ${firstLine(error)}.`;
}

async function agentOf(config: KubeConfig, { server, proxyUrl }: Cluster, env: NodeJS.ProcessEnv): Promise<{ readonly agent?: HttpAgent }> {
  if (proxyUrl) return { agent: (await optionsOf(config)).agent as HttpAgent };
  if (server.startsWith('http:')) return {};
  return { agent: new HttpsAgent({ keepAlive: true, keepAliveMsecs: 30_000, proxyEnv: env }) };
}

function pemOf(value: Pem): string | undefined {
  return value === undefined || Array.isArray(value) ? undefined : value.toString();
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.trim().split('\n')[0] ?? '').replace(/\.$/, '');
}
