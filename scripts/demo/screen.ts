import { styleText, stripVTControlCharacters } from 'node:util';
import type { Played } from './play-scene.ts';
import type { Scene } from './scenes.ts';
import { timeline } from './timeline.ts';

/** Where the demo is told. On a terminal in colour, with a bar for time; elsewhere plain lines of the same words. */
export interface Screen {
  say(text: string): void;
  heading(text: string, note: string): void;
  /** Manifests as they lie on disk. */
  file(name: string, text: string): void;
  /** A request goes out: shown on a terminal until its line comes. */
  asking(scene: Scene): void;
  played(scene: Scene, played: Played): void;
  close(): void;
}

const titleWidth = 44;
const dim = (text: string): string => styleText('dim', text);

export function createScreen(output: NodeJS.WriteStream): Screen {
  const terminal = output.isTTY === true;
  let transient = '';
  let ticker: NodeJS.Timeout | undefined;

  const clear = (): void => {
    clearInterval(ticker);
    if (transient !== '') output.write('\r\u001b[2K');
    transient = '';
  };
  const line = (text: string): void => {
    clear();
    output.write(`${text}\n`);
  };
  return {
    say: line,
    heading: (text, note) => line(`\n${styleText('bold', text)}  ${dim(note)}`),
    file: (name, text) => line([`\n${dim('┌')} ${styleText('cyan', name)}`, ...text.trimEnd().split('\n').map((row) => `${dim('│')} ${paintYaml(row)}`)].join('\n')),
    asking: (scene) => {
      if (!terminal) return;
      const started = performance.now();
      const draw = (): void => {
        transient = `${lead('·', scene)}${dim(`${seconds(performance.now() - started)} …`)}`;
        output.write(`\r\u001b[2K${fit(transient, output.columns)}`);
      };
      draw();
      ticker = setInterval(draw, 80);
    },
    played: (scene, played) => {
      const { text, bar } = timeline(scene, played);
      const mark = played.complaint !== null ? styleText('red', '✖') : scene.expected.kind === 'cut' ? styleText('yellow', '✔') : styleText('green', '✔');
      const wide = terminal && output.columns >= 120;
      line(`${lead(mark, scene)}${wide ? `${bar} ` : ''}${seconds(played.ms)}  ${text}`);
      if (played.complaint !== null) line(styleText('red', `    not as expected: ${played.complaint}`));
    },
    close: clear,
  };
}

function lead(mark: string, { title, stream }: Scene): string {
  return ` ${mark} ${dim(stream ? 'stream' : 'unary ')} ${title.padEnd(titleWidth)} `;
}

function seconds(ms: number): string {
  return ms < 1_000 ? `${ms.toFixed(0).padStart(5)} ms` : `${(ms / 1_000).toFixed(2).padStart(5)} s `;
}

function fit(text: string, columns: number): string {
  return stripVTControlCharacters(text).length <= columns ? text : stripVTControlCharacters(text).slice(0, Math.max(0, columns - 1));
}

function paintYaml(row: string): string {
  const key = /^(\s*(?:- )?)([A-Za-z]+):(.*)$/.exec(row);
  return key === null ? dim(row) : `${key[1]}${styleText('blue', key[2] ?? '')}:${key[3]}`;
}
