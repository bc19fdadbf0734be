// Evidence, a BI tool: its own driver for DuckDB, which opens the file for each query.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [file, packages, asked] = process.argv.slice(2);
const require = createRequire(`${packages}/`);
const runQuery = require("@evidence-dev/duckdb");
const { state, torn, comment, write } = JSON.parse(asked);
const of = (name) => JSON.parse(readFileSync(`${packages}/node_modules/${name}/package.json`)).version;
const versions = { "@evidence-dev/duckdb": of("@evidence-dev/duckdb"), "@duckdb/node-api": of("@duckdb/node-api") };
const lines = createInterface({ input: process.stdin });
const say = (said) => console.log(JSON.stringify(said));

async function ask(sql) {
  const found = [];
  const { rows } = await runQuery(sql, { filename: file });
  for await (const batch of rows()) found.push(...batch);
  return found;
}

async function answers() {
  const [{ orders, total }] = await ask(state);
  return { orders: Number(orders), total, torn: Number((await ask(torn))[0].torn), comment: (await ask(comment))[0].said };
}

try {
  say({ versions, ...(await answers()) });
  await new Promise((go) => lines.once("line", go));
  let refused = "";
  try { await ask(write); } catch (error) { refused = String(error.message ?? error).slice(0, 160); }
  say({ again: null, refused, anew: await answers() });
} catch (error) {
  say({ versions, error: String(error.message ?? error).slice(0, 300) });
}
process.exit(0);
