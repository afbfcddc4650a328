import { isIP } from 'node:net';
import { applicationPort, parsed, Secret, type Parsed, type Problem } from '@belay/contract';
import type { Fault } from '@belay/sidecar/shell/sidecar-options.ts';
import { parseFault } from './parse-fault.ts';

/** The options of `belay run` as the command line's parser hands them over. */
export interface RawRunOptions {
  readonly file?: readonly string[];
  readonly namespace?: string;
  readonly port?: string;
  readonly adminPort?: string;
  readonly modelDir?: string;
  readonly watch?: boolean;
  readonly fault?: readonly string[];
  readonly listen?: string;
  readonly allowOrigin?: readonly string[];
}

export interface RunOptions {
  /** Files and directories of `-f`; empty: start from the providers whose keys are set. */
  readonly paths: readonly string[];
  /** null: the only one that has chains. */
  readonly namespace: string | null;
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
  readonly adminPort: number;
  readonly modelDir: string | null;
  readonly watch: boolean;
  readonly faults: readonly Fault[];
  readonly allowOrigins: readonly string[];
  readonly clientKey: Secret | null;
}

/** Every option checked; each problem's path is the flag. */
export function parseRunOptions(raw: RawRunOptions, env: NodeJS.ProcessEnv): Parsed<RunOptions> {
  const problems: Problem[] = [];
  const { file: paths = [], namespace = null, modelDir = null, watch = false, listen = '127.0.0.1' } = raw;
  if (watch && (paths.length === 0 || paths.includes('-'))) problems.push({ path: '--watch', message: 'needs -f with a file or a directory to watch' });
  const options: RunOptions = {
    paths, namespace, modelDir, watch,
    ...parsePorts(raw, problems),
    ...parseListen(listen, env['BELAY_CLIENT_KEY'], problems),
    faults: parseEach(raw.fault, parseFault, problems),
    allowOrigins: parseEach(raw.allowOrigin, parseOrigin, problems),
  };
  return problems.length === 0 ? parsed(options) : { ok: false, problems };
}

function parseEach<T>(texts: readonly string[] | undefined, parse: (text: string) => Parsed<T>, problems: Problem[]): readonly T[] {
  return (texts ?? []).flatMap((text) => {
    const result = parse(text);
    if (result.ok) return [result.value];
    problems.push(...result.problems);
    return [];
  });
}

function parsePorts({ port: text, adminPort: adminText }: RawRunOptions, problems: Problem[]): { readonly port: number; readonly adminPort: number } {
  const port = text === undefined ? applicationPort : parsePort('--port', text, problems);
  const adminPort = adminText === undefined ? nextPort(port, problems) : parsePort('--admin-port', adminText, problems);
  if (port !== 0 && port === adminPort) problems.push({ path: '--admin-port', message: `must differ from --port ${port}` });
  return { port, adminPort };
}

/** 0 where it is none, and a problem then. */
function parsePort(flag: string, text: string, problems: Problem[]): number {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  problems.push({ path: flag, message: `must be a port from 0 (any free one) to 65535, not ${JSON.stringify(text)}` });
  return 0;
}

function nextPort(port: number, problems: Problem[]): number {
  if (port === 0) return 0;
  if (port === 65_535) problems.push({ path: '--admin-port', message: 'must be given with --port 65535, for there is no next port' });
  return port + 1;
}

/** Loopback needs no key; everything else can be reached by others, who could spend the providers' keys. */
function parseListen(address: string, clientKey: string | undefined, problems: Problem[]): { readonly address: string; readonly clientKey: Secret | null } {
  const key = clientKey === undefined || clientKey.trim() === '' ? null : new Secret(clientKey.trim());
  const bare = address.replace(/^\[(.*)\]$/, '$1');
  if (isIP(bare) === 0 && bare !== 'localhost') {
    problems.push({ path: '--listen', message: `must be an IP address such as 0.0.0.0, not ${JSON.stringify(address)}` });
  } else if (!isLoopback(bare) && key === null) {
    problems.push({ path: '--listen', message: `${address} can be reached from elsewhere: set BELAY_CLIENT_KEY to the key that applications must send` });
  }
  return { address: bare === 'localhost' ? '127.0.0.1' : bare, clientKey: key };
}

/** `localhost`, 127.0.0.0/8 and ::1. */
export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

function parseOrigin(text: string): Parsed<string> {
  const url = URL.parse(text);
  const plain = url !== null && /^https?:$/.test(url.protocol) && url.origin === text.replace(/\/$/, '');
  return plain ? parsed(url.origin) : { ok: false, problems: [{ path: '--allow-origin', message: `must be an origin such as http://localhost:3000, not ${JSON.stringify(text)}` }] };
}
