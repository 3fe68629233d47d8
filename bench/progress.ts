/** Where a run is: one line that changes on a terminal, nothing elsewhere. Always on stderr. */
export class Progress {
  #total = 0;
  #done = 0;
  #shown = false;
  readonly #startMs = performance.now();

  begin(total: number): void {
    this.#total = total;
  }

  step(what: string): void {
    this.#done += 1;
    if (!process.stderr.isTTY) return;
    const seconds = Math.round((performance.now() - this.#startMs) / 1000);
    const share = Math.min(99, Math.floor((100 * (this.#done - 1)) / Math.max(1, this.#total)));
    process.stderr.write(`\r\u001b[K${String(share).padStart(3)} %  ${seconds} s  ${what}`);
    this.#shown = true;
  }

  /** Something that readers of the figures should know. */
  warn(text: string): void {
    this.end();
    process.stderr.write(`bench: ${text}\n`);
  }

  /** Clears the line. */
  end(): void {
    if (this.#shown) process.stderr.write("\r\u001b[K");
    this.#shown = false;
  }
}
