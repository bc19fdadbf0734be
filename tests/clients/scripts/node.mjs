// @duckdb/node-api; NODE_PATH is not asked by modules, so the package is named by its folder.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [file, packages, asked] = process.argv.slice(2);
const require = createRequire(`${packages}/`);
const { DuckDBInstance, version } = require("@duckdb/node-api");
const { state, torn, comment, write } = JSON.parse(asked);
const own = JSON.parse(readFileSync(`${packages}/node_modules/@duckdb/node-api/package.json`)).version;
const lines = createInterface({ input: process.stdin });
const say = (said) => console.log(JSON.stringify(said));

async function open() {
  const instance = await DuckDBInstance.create(file, { access_mode: "READ_ONLY" });
  const con = await instance.connect();
  const ask = async (sql) => (await con.runAndReadAll(sql)).getRowsJson();
  return { ask, close: () => { con.closeSync(); instance.closeSync(); } };
}

async function answers(ask) {
  const [[orders, total]] = await ask(state);
  return { orders: Number(orders), total, torn: Number((await ask(torn))[0][0]), comment: (await ask(comment))[0][0] };
}

try {
  let { ask, close } = await open();
  say({ versions: { "@duckdb/node-api": own, duckdb: version() }, ...(await answers(ask)) });
  await new Promise((go) => lines.once("line", go));
  const again = await answers(ask);
  let refused = "";
  try { await ask(write); } catch (error) { refused = String(error.message).slice(0, 160); }
  close();
  ({ ask, close } = await open());
  const anew = await answers(ask);
  close();
  say({ again, refused, anew });
} catch (error) {
  say({ versions: { "@duckdb/node-api": own }, error: String(error.message ?? error).slice(0, 300) });
}
process.exit(0);
