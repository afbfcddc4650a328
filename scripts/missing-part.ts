/**
 * Thrown by a set-up step where this machine lacks something that Belay must not install by itself.
 * The message is one sentence: what is missing, and how to get it. What needs the part is then skipped, aloud.
 */
export class MissingPart extends Error {
  override readonly name = 'MissingPart';
}

/** Exit code of a set-up program that ended with a `MissingPart`: its last line on stderr says which. */
export const missingPartExitCode = 3;
