import type { ServerResponse } from 'node:http';
import type { OwnError } from '../dialects/dialect.ts';

/** What an application's listener demands of a request before it looks at it. */
export interface GuardRules {
  /** True: reachable from this machine only, so a name in Host that is not loopback is a web page's trick. */
  readonly loopbackOnly: boolean;
  readonly allowOrigins: readonly string[];
}

/** Headers that decide, lower-cased names as Node gives them. */
export interface GuardedHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | string[] | undefined;
  readonly 'content-type'?: string | undefined;
  readonly 'content-encoding'?: string | undefined;
}

/**
 * Keeps web pages from spending the loopback endpoint (control-plane.md, promise 11): a Host that is not loopback (DNS
 * rebinding), an Origin that nobody allowed, and a body that is not declared JSON (what a form can send without asking), or
 * that is compressed. null: let in.
 */
export function guardRequest(method: string, headers: GuardedHeaders, rules: GuardRules): OwnError | null {
  const { host = '', origin, 'content-type': contentType = '', 'content-encoding': encoding = 'identity' } = headers;
  if (rules.loopbackOnly && !isLoopbackHost(host)) {
    return refusal(403, 'host_not_loopback', `Host must be localhost or a loopback address, not ${JSON.stringify(host)}: this endpoint is for applications of this machine.`);
  }
  if (origin !== undefined && !rules.allowOrigins.includes(String(origin))) {
    return refusal(403, 'origin_not_allowed', `Requests of web pages are refused: the Origin ${JSON.stringify(origin)} is not allowed. Start Belay with --allow-origin to name it.`);
  }
  return method === 'POST' ? guardBody(contentType, encoding) : null;
}

function guardBody(contentType: string, encoding: string): OwnError | null {
  if (!isJson(contentType)) {
    return refusal(415, 'content_type_not_json', `The content type must be application/json, not ${JSON.stringify(contentType)}.`);
  }
  if (encoding.trim().toLowerCase() !== 'identity') {
    return refusal(415, 'content_encoding_not_supported', `A request body must not be compressed, and content-encoding is ${JSON.stringify(encoding)}: send it as it is.`);
  }
  return null;
}

/** `127.0.0.1:7411`, `localhost`, `[::1]:80`: names that only this machine resolves to itself. */
export function isLoopbackHost(host: string): boolean {
  const name = hostName(host.toLowerCase());
  return name === 'localhost' || name.endsWith('.localhost') || name === '::1' || /^127(\.[0-9]{1,3}){3}$/.test(name);
}

/** An address that only this machine reaches. */
export function isLoopbackAddress(address: string): boolean {
  return address === 'localhost' || address === '::1' || address.startsWith('127.');
}

function hostName(host: string): string {
  const bracketed = /^\[([^\]]*)\](:[0-9]*)?$/.exec(host);
  if (bracketed !== null) return bracketed[1] ?? '';
  return host.replace(/:[0-9]*$/, '');
}

function isJson(contentType: string): boolean {
  return /^application\/(json|[a-z0-9.+-]+\+json)\s*(;|$)/i.test(contentType.trim());
}

function refusal(status: number, code: string, message: string): OwnError {
  return { status, type: 'invalid_request_error', code, message, retryAfterMs: null };
}

/** Lets a page of an allowed origin read the answer (Fetch standard, CORS protocol). */
export function allowOrigin(headers: GuardedHeaders & { readonly 'access-control-request-headers'?: string | undefined }, response: ServerResponse): void {
  if (typeof headers.origin !== 'string') return;
  response.setHeader('access-control-allow-origin', headers.origin);
  response.setHeader('vary', 'origin');
  response.setHeader('access-control-expose-headers', '*');
  if (headers['access-control-request-headers'] === undefined) return;
  response.setHeader('access-control-allow-methods', 'GET, POST');
  response.setHeader('access-control-allow-headers', headers['access-control-request-headers']);
}
