// Work beside the page, so that it never waits: a worker that answers questions.

/**
 * Starts a worker from the text of its script. `ask(what, data, transfer)` promises its answer, or
 * fails with its sentence; where the worker ends, all fail, and `stop()` ends it.
 */
export function startWorker(script) {
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const worker = new Worker(address);
  const waiting = new Map();
  let count = 0;
  worker.addEventListener("message", ({ data: { id, answer, error } }) => {
    const { done, fail } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) done(answer);
    else fail(new Error(error));
  });
  worker.addEventListener("error", ({ message }) => {
    for (const { fail } of waiting.values()) fail(new Error(message || "it could not be started"));
    waiting.clear();
  });
  return {
    ask(what, data, transfer = []) {
      return new Promise((done, fail) => {
        waiting.set(++count, { done, fail });
        worker.postMessage({ id: count, what, data }, transfer);
      });
    },
    stop() {
      worker.terminate();
      URL.revokeObjectURL(address);
    },
  };
}
