/** An answer of the API server that says no, from an HTTP status or an ERROR within a watch. */
export class KubeError extends Error {
  /** HTTP status code, 0 where a Status carried none. */
  readonly status: number;
  /** `reason` of the Status object: Expired, NotFound, AlreadyExists, Conflict …; '' where there is none. */
  readonly reason: string;
  /** What the server asks to wait, in milliseconds; null where it asks for nothing. */
  readonly retryAfterMs: number | null;
  readonly causes: readonly string[];

  constructor(message: string, { status, reason, retryAfterMs, causes }: { readonly status: number; readonly reason: string; readonly retryAfterMs: number | null; readonly causes: readonly string[] }) {
    super(message);
    this.name = 'KubeError';
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
    this.causes = causes;
  }
}

interface KubeStatus {
  readonly code?: unknown;
  readonly reason?: unknown;
  readonly message?: unknown;
  readonly details?: { readonly retryAfterSeconds?: unknown; readonly causes?: unknown };
}

/**
 * Reads a Status object (any other body counts as none). `httpStatus` is null for an ERROR within a watch, whose code
 * stands in the object. Of `Retry-After` only seconds are read, which is all that an API server sends.
 */
export function kubeErrorOf(what: string, httpStatus: number | null, body: unknown, retryAfter?: string): KubeError {
  const status = (typeof body === 'object' && body !== null ? body : {}) as KubeStatus;
  const code = httpStatus ?? (typeof status.code === 'number' ? status.code : 0);
  const reason = textOf(status.reason);
  const words = textOf(status.message) || reason;
  return new KubeError(`${what}: the API server answered ${code}${words === '' ? '' : `: ${words}`}`, {
    status: code, reason, retryAfterMs: retryAfterMs(retryAfter ?? status.details?.retryAfterSeconds), causes: causesOf(status.details?.causes),
  });
}

/** True where a resourceVersion (or a continue token) can be used no more: list again. */
export function isExpired(error: unknown): boolean {
  if (!(error instanceof KubeError)) return false;
  return error.status === 410 || error.reason === 'Expired' || error.reason === 'Gone' || error.causes.includes('ResourceVersionTooLarge');
}

export function hasStatus(error: unknown, ...statuses: readonly number[]): boolean {
  return error instanceof KubeError && statuses.includes(error.status);
}

/** A namespace that is being deleted takes nothing new, and needs nothing. */
export function isNamespaceTerminating(error: unknown): boolean {
  return error instanceof KubeError && error.causes.includes('NamespaceTerminating');
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function retryAfterMs(value: unknown): number | null {
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof seconds === 'number' && seconds > 0 && Number.isFinite(seconds) ? seconds * 1_000 : null;
}

function causesOf(causes: unknown): readonly string[] {
  if (!Array.isArray(causes)) return [];
  return causes.map((cause: { readonly reason?: unknown } | null) => String(cause?.reason ?? ''));
}
