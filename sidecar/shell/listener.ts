import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { responseHeaders } from '@belay/contract';
import { ownErrorAnswer } from '../dialects/openai-chat/client/answer.ts';
import { createBearerCheck } from './bearer-check.ts';
import { sendWhole } from './client-answer.ts';
import { crashResponse } from './finish-request.ts';
import { debugPage, modelPage } from './pages.ts';
import { reportBug, type Plane } from './plane.ts';
import { sendOwnError, serveChat } from './serve-chat.ts';
import { allowOrigin, guardRequest, isLoopbackAddress } from './web-guard.ts';

/** Idle connections of applications live longer than SDKs keep theirs, so that no request meets a closing one. */
const keepAliveMs = 120_000;
/** What is left of a refused upload is read for this long, so that the client sees the answer instead of a reset. */
const drainMs = 5_000;

/** The applications' side: routes, and what keeps others out. Not listening yet. */
export function createListener(plane: Plane): Server {
  const { options } = plane;
  const rules = { loopbackOnly: isLoopbackAddress(options.address), allowOrigins: options.allowOrigins };
  const isAllowed = createBearerCheck(options.clientKey);
  const serve = (request: IncomingMessage, response: ServerResponse, onAccepted: () => void): void => {
    const id = plane.nextId();
    const refusal = guardRequest(request.method ?? '', request.headers, rules) ?? isAllowed(request.headers.authorization);
    if (refusal !== null) {
      sendOwnError(response, refusal, id);
      return drain(plane, request, response);
    }
    allowOrigin(request.headers, response);
    route(plane, request, response, id, onAccepted)
      .catch((error: unknown) => {
        reportBug(plane, id, error);
        crashResponse(response, id);
      })
      .finally(() => drain(plane, request, response));
  };
  const server = createServer({ keepAlive: true, keepAliveTimeout: keepAliveMs, noDelay: true });
  server.on('request', (request, response) => serve(request, response, () => undefined));
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => serve(request, response, () => response.writeContinue()));
  server.on('clientError', (error: Error & { readonly code?: string }, socket) => {
    if (!socket.writable) return void socket.destroy();
    socket.end(rawRefusal(error.code ?? ''));
  });
  return server;
}

async function route(plane: Plane, request: IncomingMessage, response: ServerResponse, id: string, onAccepted: () => void): Promise<void> {
  const { pathname, query } = addressed(request);
  if (request.method === 'OPTIONS') return void response.writeHead(204).end();
  if (pathname === '/v1/chat/completions') {
    if (request.method === 'POST') return serveChat(plane, request, response, id, onAccepted);
    return sendOwnError(response, wrongMethod(pathname, request.method, 'POST'), id, { allow: 'POST' });
  }
  const page = modelPage(plane, pathname) ?? debugPage(plane, pathname, query);
  if (page === null) return sendOwnError(response, unknownPath(pathname), id);
  if (request.method !== 'GET' && request.method !== 'HEAD') return sendOwnError(response, wrongMethod(pathname, request.method, 'GET'), id, { allow: 'GET' });
  if ('error' in page) return sendOwnError(response, page.error, id);
  sendWhole(response, 200, { 'content-type': 'application/json', [responseHeaders.requestId]: id }, page.body);
}

/**
 * Path and query of a request's target, in its origin or absolute form (RFC 9112, 3.2). Slashes that a base URL doubled or
 * left at the end are forgiven; nothing here throws, whatever a client sends.
 */
function addressed({ url = '' }: IncomingMessage): { pathname: string; query: URLSearchParams } {
  const [, path = '', query = ''] = /^(?:https?:\/\/[^/?#]*)?([^?#]*)\??([^#]*)/i.exec(url) ?? [];
  return { pathname: path.replace(/\/{2,}/g, '/').replace(/(.)\/$/, '$1'), query: new URLSearchParams(query) };
}

/** A body that nobody reads: Node throws its rest away behind the answer, and after a while the connection goes too. */
function drain({ options }: Plane, request: IncomingMessage, response: ServerResponse): void {
  if (request.complete || request.destroyed) return;
  const disarm = options.clock.after(drainMs, () => request.destroy());
  request.once('close', disarm);
  response.once('close', disarm);
}

function unknownPath(path: string): Parameters<typeof sendOwnError>[1] {
  return {
    status: 404, type: 'invalid_request_error', code: 'unknown_path', retryAfterMs: null,
    message: `Nothing is served at ${JSON.stringify(path)}. There are POST /v1/chat/completions, GET /v1/models, /v1/models/MODEL, /belay/decisions, /belay/health and /belay/table.`,
  };
}

function wrongMethod(path: string, method: string | undefined, wanted: string): Parameters<typeof sendOwnError>[1] {
  return { status: 405, type: 'invalid_request_error', code: 'method_not_allowed', message: `${path} takes ${wanted}, not ${method}.`, retryAfterMs: null };
}

/** An answer to bytes that are no request Node can parse. */
function rawRefusal(code: string): string {
  const tooLarge = code === 'HPE_HEADER_OVERFLOW';
  const status = tooLarge ? 431 : code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  const message = tooLarge ? 'The request headers may have 16 KiB at most.' : status === 408 ? 'The request took too long to arrive.' : 'This is not an HTTP/1.1 request.';
  const { body } = ownErrorAnswer({ status, type: 'invalid_request_error', code: null, message, retryAfterMs: null });
  return `HTTP/1.1 ${status} ${tooLarge ? 'Request Header Fields Too Large' : status === 408 ? 'Request Timeout' : 'Bad Request'}\r\n`
    + `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`;
}
