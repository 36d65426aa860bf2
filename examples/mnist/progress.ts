import { SingleBar } from 'cli-progress';

/** Shows how far the training is: a bar on a terminal; elsewhere only the lines, without control characters. */
export class Progress {
  #bar: SingleBar | undefined;
  readonly #stream: NodeJS.WriteStream;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /** Begins a bar of so many steps. */
  start(title: string, steps: number): void {
    if (!this.#stream.isTTY) return;
    this.#bar = new SingleBar({
      stream: this.#stream,
      format: '{title} {bar} {value}/{total} steps | loss {loss} | {eta_formatted} left',
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 24,
      hideCursor: true,
      etaBuffer: 50,
    });
    this.#bar.start(steps, 0, { title: title.padEnd(32), loss: '' });
  }

  /** Moves the bar by one step. */
  step(loss: number): void {
    this.#bar?.increment(1, { loss: loss.toFixed(3) });
  }

  /** Says something that only matters where there is no bar. */
  line(text: string): void {
    if (!this.#stream.isTTY) this.#stream.write(`${text}\n`);
  }

  /** Ends the bar, if there is one, and gives the cursor back. */
  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}
