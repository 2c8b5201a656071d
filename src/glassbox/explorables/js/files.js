// Large files that a widget asks for when it needs them: beside a page, or from a kernel.

import { make } from "./dom.js";

/** Promises the file that show_computed was given by this name: in a page as base64, else as bytes. */
export const readFile = (model, name) =>
  model.get("inPage") ? fromPage(model.get("state").files[name]) : fromKernel(model, name);

/** Loads a script that tells its own element: a page that was opened as a file can't fetch. */
async function fromPage(src) {
  const script = make("script", { src });
  try {
    return await new Promise((done, fail) => {
      script.addEventListener("file", ({ detail }) => done(detail));
      script.addEventListener("load", () =>
        fail(new Error("there is something else in its place")),
      );
      script.addEventListener("error", () => fail(new Error("it could not be read")));
      document.head.append(script);
    });
  } finally {
    script.remove();
  }
}

function fromKernel(model, name) {
  return new Promise((done) => {
    const hear = ({ file }, buffers) => {
      if (file !== name) return;
      model.off("msg:custom", hear);
      done(buffers[0]);
    };
    model.on("msg:custom", hear);
    model.send({ file: name });
  });
}
