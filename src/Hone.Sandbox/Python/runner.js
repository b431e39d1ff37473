// Runs in a process of its own, without rights: Python, and JSON-RPC 2.0 over standard input and output, one message a line.
const [home, homeUrl] = Deno.args;
const { stdin, stdout } = Deno;
const read = stdin.readSync.bind(stdin), write = stdout.writeSync.bind(stdout);
const exit = Deno.exit.bind(Deno);
const { parse, stringify } = JSON;
const encoder = new TextEncoder(), decoder = new TextDecoder();
let buffer = new Uint8Array(65536), start = 0, end = 0;

for (const name of ["log", "info", "warn", "error", "debug"]) console[name] = () => {};

function send(message) {
  const bytes = encoder.encode(stringify({ jsonrpc: "2.0", ...message }) + "\n");
  for (let sent = 0; sent < bytes.length;) sent += write(bytes.subarray(sent));
}

// The next message; reading blocks, so that a tool returns to the code that called it like any function.
function receive() {
  for (let looked = start; ;) {
    const stop = buffer.subarray(0, end).indexOf(10, looked);
    if (stop >= 0) {
      const line = decoder.decode(buffer.subarray(start, stop));
      start = stop + 1;
      return parse(line);
    }
    looked = end;
    if (start > 0) {
      buffer.copyWithin(0, start, end);
      [looked, end, start] = [looked - start, end - start, 0];
    }
    if (end === buffer.length) {
      const larger = new Uint8Array(buffer.length * 2);
      larger.set(buffer);
      buffer = larger;
    }
    const count = read(buffer.subarray(end));
    if (count === null) exit(0);
    end += count;
  }
}

let calls = 0;
function callTool(name, positional, named) {
  const id = `t${++calls}`;
  send({ id, method: "tool", params: { name, positional, named } });
  const reply = receive();
  return stringify(reply.error ? { error: reply.error.message } : { value: reply.result });
}

const { loadPyodide } = await import(homeUrl + "/pyodide.mjs");
const python = await loadPyodide({ indexURL: home, jsglobals: Object.create(null), stdout: () => {}, stderr: () => {}, env: { HOME: "/home/code" } });
await Deno.permissions.revoke({ name: "read" });
await Deno.permissions.revoke({ name: "read", path: home });
let session;

async function answer({ method, params }) {
  switch (method) {
    case "start": {
      const names = python.toPy({});
      python.runPython(params.source, { globals: names });
      for (const [name, content] of Object.entries(params.files))
        python.FS.writeFile("/home/code/" + name, Uint8Array.from(atob(content), c => c.charCodeAt(0)));
      session = names.get("Session")(stringify(params.settings), callTool);
      return true;
    }
    case "execute":
      return parse(await session.run(params.code, params.variables));
    case "read":
      return parse(session.read(params.name));
    default:
      throw new Error("There is no such method.");
  }
}

send({ method: "ready", params: {} });
for (;;) {
  const request = receive();
  try {
    send({ id: request.id, result: await answer(request) });
  } catch (error) {
    send({ id: request.id, error: { code: -32000, message: String(error?.message ?? error).slice(-2000) } });
  }
}
