/**
 * Loaded before the program: makes it fall on a signal, by an error with a secret in its fields, which
 * nobody catches. SIGUSR2 throws it, SIGWINCH rejects with it.
 */
class Fallen extends Error {
  readonly token = process.env.FALL_SECRET;
  readonly request = { authorization: `Bearer ${process.env.FALL_SECRET}` };
}

process.on("SIGUSR2", () => {
  throw new Fallen("thrown from nowhere");
});
process.on("SIGWINCH", () => {
  Promise.reject(new Fallen("rejected from nowhere"));
});
