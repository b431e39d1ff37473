// Reads exported directories with Hugging Face's own JavaScript packages and prints, as JSON, what they found there.
//   npm install --prefix tests/Exports --ignore-scripts --omit=optional --no-package-lock
//   node tests/Exports/read.mjs JOBS.json
// JOBS.json: a list of { directory, weights?, texts?, conversations?, options? }. No file is fetched from anywhere but the directory.
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseSafetensorsMetadata } from "@huggingface/hub";
import { Template } from "@huggingface/jinja";
import { Tokenizer } from "@huggingface/tokenizers";

const origin = "http://exports.invalid", repository = "exported/model";
const bytesOf = { F32: 4, F16: 2, BF16: 2 };

// What a hub would answer: the file, or the range of it that was asked for.
function serve(directory) {
  const prefix = new RegExp(`^${origin}/${repository}/(resolve|raw)/main/`);
  return async (url, init) => {
    const text = String(url);
    if (!prefix.test(text)) throw new Error(`Something else than the exported files was asked for: ${text}`);
    const path = join(directory, decodeURIComponent(text.replace(prefix, "")));
    if (!existsSync(path)) return new Response(null, { status: 404, headers: { "X-Error-Code": "EntryNotFound" } });
    const size = statSync(path).size, headers = { ETag: '"1"' };
    const range = /^bytes=(\d+)-(\d+)$/.exec(new Headers(init?.headers).get("Range") ?? "");
    if (!range) return new Response(init?.method === "HEAD" ? null : readFileSync(path), { status: 200, headers });
    const [first, last] = [Number(range[1]), Math.min(Number(range[2]), size - 1)];
    return new Response(bytes(path, first, last + 1 - first), { status: 206, headers: { ...headers, "Content-Range": `bytes ${first}-${last}/${size}` } });
  };
}

function bytes(path, position, length) {
  const target = Buffer.alloc(length), file = openSync(path, "r");
  try {
    if (readSync(file, target, 0, length, position) !== length) throw new Error(`${path} ends before ${position + length}.`);
  } finally {
    closeSync(file);
  }
  return target;
}

function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
}

function valueOf(view, dtype, at) {
  if (dtype === "F32") return view.getFloat32(at, true);
  const bits = view.getUint16(at, true);
  if (dtype === "F16") return half(bits);
  view.setUint32(0, bits << 16);
  return view.getFloat32(0);
}

// Sum and sum of squares of every tensor, and its first and last value: enough to tell values and their order.
function tensorsOf(path, header) {
  const start = 8 + Number(bytes(path, 0, 8).readBigUInt64LE()), found = {};
  let end = 0;
  for (const [name, { dtype, shape, data_offsets: [from, to] }] of Object.entries(header).filter(([name]) => name !== "__metadata__")) {
    const size = bytesOf[dtype], count = shape.reduce((product, each) => product * each, 1);
    if (!size) throw new Error(`${path}: tensor ${name} is of type ${dtype}.`);
    if (from !== end || to - from !== count * size) throw new Error(`${path}: tensor ${name} [${shape}] lies at ${from} to ${to}, the one before ends at ${end}.`);
    end = to;
    // Four bytes in front for the conversion of bfloat16.
    const data = Buffer.concat([Buffer.alloc(4), bytes(path, start + from, to - from)]), view = new DataView(data.buffer, data.byteOffset, data.length);
    let sum = 0, squares = 0;
    for (let i = 0; i < count; i++) {
      const value = valueOf(view, dtype, 4 + i * size);
      sum += value;
      squares += value * value;
    }
    found[name] = { dtype, shape, sum, squares, first: valueOf(view, dtype, 4), last: valueOf(view, dtype, 4 + (count - 1) * size) };
  }
  if (statSync(path).size !== start + end) throw new Error(`${path} has bytes after its last tensor.`);
  return found;
}

async function weightsOf(directory, path) {
  const parsed = await parseSafetensorsMetadata({ repo: repository, path, hubUrl: origin, fetch: serve(directory), computeParametersCount: true });
  const headers = parsed.sharded ? parsed.headers : { [parsed.filepaths[0]]: parsed.header };
  const tensors = Object.entries(headers).map(([file, header]) => tensorsOf(join(directory, file), header));
  return { files: parsed.filepaths, parameters: parsed.parameterCount, tensors: Object.assign({}, ...tensors) };
}

// As transformers' AutoTokenizer: the template of chat_template.jinja before that of tokenizer_config.json, special tokens as variables.
function templateOf(directory, config) {
  const file = join(directory, "chat_template.jinja");
  const source = existsSync(file) ? readFileSync(file, "utf8") : config.chat_template;
  if (!source) throw new Error(`${directory} has no chat template, neither in chat_template.jinja nor in tokenizer_config.json.`);
  return new Template(source);
}

const read = (directory, name) => JSON.parse(readFileSync(join(directory, name), "utf8"));
const contentOf = token => token?.content ?? token;

async function run({ directory, weights, texts = [], conversations = [], options = {} }) {
  const result = weights ? await weightsOf(directory, weights === "model" ? undefined : weights) : {};
  if (!existsSync(join(directory, "tokenizer.json"))) return result;
  const config = read(directory, "tokenizer_config.json"), tokenizer = new Tokenizer(read(directory, "tokenizer.json"), config);
  const encode = text => tokenizer.encode(text, { add_special_tokens: false }).ids;
  const template = conversations.length ? templateOf(directory, config) : null;
  const prompts = conversations.map(messages => template.render({
    messages, add_generation_prompt: true, bos_token: contentOf(config.bos_token), eos_token: contentOf(config.eos_token), ...options,
  }));
  const ids = texts.map(encode);
  return {
    ...result, ids, decoded: ids.map(each => each.length ? tokenizer.decode(each, { clean_up_tokenization_spaces: false }) : ""), prompts, promptIds: prompts.map(encode),
    eos: tokenizer.token_to_id(contentOf(config.eos_token)),
  };
}

const results = [];
for (const job of JSON.parse(readFileSync(process.argv[2], "utf8"))) results.push(await run(job));
console.log(JSON.stringify(results));
