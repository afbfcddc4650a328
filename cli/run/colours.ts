import picocolors from 'picocolors';

/** Text painted for a terminal, or left as it is. */
export type Colours = Pick<ReturnType<typeof picocolors.createColors>, 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan'>;

/** Colours where a terminal shows them; NO_COLOR and FORCE_COLOR decide first (no-color.org). */
export function coloursFor(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): Colours {
  const forced = env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0';
  const refused = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return picocolors.createColors(forced || (stream.isTTY === true && !refused));
}
