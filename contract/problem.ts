/** One thing wrong with an input: where, and a sentence that says what would be right. */
export interface Problem {
  /** Field path as the API server prints it, e.g. `spec.targets[1].providerRef.name`; empty for the whole input. */
  readonly path: string;
  readonly message: string;
}

/** What a parser returns: a value, or every problem found. Parsers never throw on user input. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function refused(path: string, message: string): { readonly ok: false; readonly problems: readonly Problem[] } {
  return { ok: false, problems: [{ path, message }] };
}

/** `path: message`, or the message alone where the whole input is meant. */
export function describeProblem({ path, message }: Problem): string {
  return path === '' ? message : `${path}: ${message}`;
}
