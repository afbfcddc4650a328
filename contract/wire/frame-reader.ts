import { refused, type Parsed } from '../problem.ts';

/**
 * Takes NDJSON as it arrives, in pieces of any size, and gives what `parse` makes of each whole line, in order; frames that `parse` ignores
 * (null) are left out. A line longer than `maxLength` UTF-16 code units is refused once, is never held, and costs only itself. A line that is
 * cut off by the end of the stream is no frame.
 */
export function frameReader<T>(parse: (line: string) => Parsed<T | null>, maxLength: number): (chunk: string) => readonly Parsed<T>[] {
  let pieces: string[] = [];
  let length = 0;
  let skipping = false;

  function hold(piece: string, found: Parsed<T>[]): void {
    if (skipping) return;
    length += piece.length;
    if (length <= maxLength) {
      pieces.push(piece);
      return;
    }
    found.push(refused('', `a frame must be at most ${maxLength} characters long, and this one is longer`));
    pieces = [];
    skipping = true;
  }

  function endLine(found: Parsed<T>[]): void {
    const line = skipping ? '' : pieces.join('');
    pieces = [];
    length = 0;
    skipping = false;
    if (line.trim() === '') return;
    const frame = parse(line);
    if (!frame.ok) found.push(frame);
    else if (frame.value !== null) found.push({ ok: true, value: frame.value });
  }

  return (chunk) => {
    const found: Parsed<T>[] = [];
    const [first = '', ...rest] = chunk.split('\n');
    hold(first, found);
    for (const piece of rest) {
      endLine(found);
      hold(piece, found);
    }
    return found;
  };
}
