// Bundles the scripts and the styles of the widgets: node tools/bundle.mjs [FOLDER]
//
// A widget becomes an ES module for a kernel's front end, `NAME.js`, the same for a page, which it
// starts in, `NAME.page.js`, and its style, `NAME.css`. The player is only for pages.
// `import text from "./worker.js?script"` gives a widget the text of a bundle, to start a worker with.

import { mkdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const PACKAGE = fileURLToPath(new URL("../src/glassbox/", import.meta.url));
const SHARED = "explorables/js";
const WIDGETS = {
  playground: "chapters/adam/playground",
  latent_pad: "chapters/vae/latent_pad",
  digit_pad: "chapters/gradcam/digit_pad",
  photo_cam: "chapters/gradcam/photo_cam/photo_cam",
};

const common = { bundle: true, minify: true, charset: "utf8", legalComments: "none" };

const asText = {
  name: "text of a script",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\?script$/ }, ({ path: file, resolveDir }) => {
      return { path: path.join(resolveDir, file.replace("?script", "")), namespace: "script" };
    });
    onLoad({ filter: /.*/, namespace: "script" }, async ({ path: entry }) => {
      const job = { entryPoints: [entry], format: "iife", write: false };
      const { outputFiles } = await build({ ...common, ...job });
      return { contents: outputFiles[0].text.trim(), loader: "text" };
    });
  },
};

/** What a page runs: it starts the widget in each element that waits for it. */
function starter(name) {
  return [
    `import { mount } from "./${SHARED}/page.js";`,
    `import { render } from "./${WIDGETS[name]}.js";`,
    `mount("${name}", render);`,
  ].join("\n");
}

/** What esbuild is asked for, by the name of the file that comes out. */
function bundles() {
  const jobs = {
    "player.css": { entryPoints: [`${SHARED}/player.css`] },
    "player.js": { entryPoints: [`${SHARED}/player.js`], format: "iife" },
  };
  for (const [name, source] of Object.entries(WIDGETS)) {
    jobs[`${name}.css`] = { entryPoints: [`${source}.css`] };
    jobs[`${name}.js`] = { entryPoints: [`${source}.js`], format: "esm" };
    jobs[`${name}.page.js`] = {
      stdin: { contents: starter(name), resolveDir: PACKAGE },
      format: "esm",
    };
  }
  return Object.entries(jobs);
}

const folder = path.resolve(process.argv[2] ?? path.join(PACKAGE, "explorables/bundles"));
await mkdir(folder, { recursive: true });
await Promise.all(
  bundles().map(([file, job]) =>
    build({
      ...common,
      ...job,
      plugins: [asText],
      absWorkingDir: PACKAGE,
      outfile: path.join(folder, file),
    }),
  ),
);
