/** One thing that an on-call should know of. */
export interface Trouble {
  /** Kind and name, such as `FallbackChain shop/chat`. */
  readonly subject: string;
  readonly reason: string;
  /** A sentence. */
  readonly message: string;
}

export function titleOf({ metadata }: { readonly metadata: { readonly name: string; readonly namespace?: string } }): string {
  return `${metadata.namespace ?? 'default'}/${metadata.name}`;
}

/** A duration for people: the largest unit that says something. */
export function describeAge(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 90) return `${seconds} s`;
  return seconds < 5_400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}

export function sentence(text: string): string {
  return text === '' || /[.!?]$/.test(text) ? text : `${text}.`;
}
