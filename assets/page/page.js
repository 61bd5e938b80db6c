"use strict";
// Draws a recorded run. Every number on screen comes from the JSON above, and nothing is fetched.
const run = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const state = { stage: 0, token: Math.max(Math.min(run.prompt_len, run.tokens.length) - 1, 0), head: 0, key: 0, layer: 0 };

/** An element with properties and children; text is only ever set as text. */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "style") element.style.cssText = value;
    else if (name in element && !name.startsWith("aria")) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

// ---- the recorded numbers

const decoded = new Map();
/** The tensor at a hook of a pass: {shape, values}, or null where it was not recorded. */
function tensor(pass, hook) {
  const name = pass === 0 ? hook : `pass.${pass}.${hook}`;
  const stored = run.tensors[name];
  if (!stored) return null;
  if (!decoded.has(name)) {
    const bytes = Uint8Array.from(atob(stored.data), (letter) => letter.charCodeAt(0));
    decoded.set(name, { name, shape: stored.shape, values: new Float32Array(bytes.buffer) });
  }
  return decoded.get(name);
}

/** The pass that reads a position, and its row there. */
function passOf(position) {
  let found = 0;
  run.passes.forEach((pass, number) => { if (pass.start <= position) found = number; });
  const pass = run.passes[found];
  return { number: found, row: Math.min(position - pass.start, pass.n_pos - 1) };
}

const visible = (text) => text.replace(/ /g, "·").replace(/\n/g, "⏎").replace(/\t/g, "⇥");
const word = (position) => {
  const token = run.tokens[position];
  return token ? visible(token[1]) : "";
};
const number = (x) => (x === null || x === undefined ? "–" : Number.isFinite(x) ? String(Number(x.toPrecision(6))) : x < 0 ? "−∞" : "∞");
const percent = (p) => (p >= 0.1 ? `${(100 * p).toFixed(1)} %` : p >= 0.001 ? `${(100 * p).toFixed(2)} %` : p >= 1e-7 ? `${Number((100 * p).toPrecision(2)).toFixed(Math.min(7, 1 - Math.floor(Math.log10(100 * p))))} %` : p > 0 ? "< 0.00001 %" : "0 %");
const bytes = (n) => (n < 1000 ? `${n} B` : n < 1e6 ? `${(n / 1e3).toFixed(1)} KB` : `${(n / 1e6).toFixed(1)} MB`);

// ---- colours

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const mixed = (from, to, share) => from.map((value, at) => Math.round(value + (to[at] - value) * share));
/** Shares: from the surface to the hue, small ones lifted as by a square root. */
function sequential(hue) {
  const [surface, full] = [channels(colour("--surface")), channels(colour(hue))];
  return (value) => mixed(surface, full, Math.sqrt(Math.min(Math.max(value, 0), 1)));
}
/** Signed values: two hues around zero. */
function diverging(largest) {
  const [surface, low, high] = ["--surface", "--low", "--high"].map((name) => channels(colour(name)));
  return (value) => mixed(surface, value < 0 ? low : high, Math.sqrt(Math.min(Math.abs(value) / (largest || 1), 1)));
}

/** A canvas of rows by columns, one pixel each; masked cells are hatched. */
function pixels(rows, columns, at, paint, isMasked = () => false, scale = 1) {
  const canvas = make("canvas", { width: columns * scale, height: rows * scale });
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns * scale, rows * scale);
  const sunk = channels(colour("--sunk")), line = channels(colour("--line"));
  for (let y = 0; y < rows * scale; y++) {
    for (let x = 0; x < columns * scale; x++) {
      const [row, column] = [Math.floor(y / scale), Math.floor(x / scale)];
      const masked = isMasked(row, column);
      const rgb = masked ? ((x + y) % 6 < 1 ? line : sunk) : paint(at(row, column));
      image.data.set([...rgb, 255], 4 * (y * columns * scale + x));
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

// ---- pictures

const nothing = (what) => make("p", { className: "none" }, `Not in this page: ${what} was not recorded.`);
const say = (text) => { byId("formula").textContent = text; };
const cell = (text, className = "") => make("td", { className }, text);
const heading = (...names) => make("tr", {}, ...names.map(([name, kind]) => make("th", { className: kind || "", scope: "col" }, name)));
function bar(share, hue) {
  return make("td", { className: "bar", style: `--hue: var(${hue})` }, make("i", { style: `width: ${Math.max(0, Math.min(1, share)) * 100}%` }));
}

function textPicture(room) {
  const rows = run.tokens.map(([id, text], position) => {
    const row = make("tr", { className: position === state.token ? "chosen" : "" }, cell(String(position), "n"), cell(visible(text), "word"), cell(String(id), "n"), cell(position < run.prompt_len ? "prompt" : "written by the model"));
    row.addEventListener("click", () => chooseToken(position));
    return row;
  });
  room.append(make("table", {}, make("caption", {}, "The text as the model reads it: token by token"), make("thead", {}, heading(["position", "n"], ["token"], ["id", "n"], ["from"])), make("tbody", {}, ...rows)));
  const [id, text] = run.tokens[state.token] || [0, ""];
  say(`“${visible(text)}” is token ${id}, at position ${state.token} · tokens[${state.token}]`);
}

function embeddingPicture(room) {
  const { number: pass, row } = passOf(state.token);
  const rows = tensor(pass, "hook_embed");
  if (!rows) return room.append(nothing("the embedding"));
  const [nRows, width] = rows.shape;
  const largest = rows.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const paint = diverging(largest);
  const scale = Math.max(1, Math.min(8, Math.floor(900 / width)));
  const columns = width, at = (y, x) => rows.values[y * columns + x];
  state.key = Math.min(state.key, columns - 1);
  const canvas = pixels(nRows, columns, at, paint, () => false, 1);
  room.append(mapOf(canvas, nRows, columns, scale, Math.max(10, scale), row, (y) => word(run.passes[pass].start + y), null, `Embedding of ${nRows} tokens, ${columns} values each`, (y, x) => {
    const position = run.passes[pass].start + y;
    if (y !== row) { state.key = x; return chooseToken(position); }
    state.key = x;
    tell();
  }));
  room.append(make("p", { className: "muted" }, `Red is below zero, blue above; the largest is ${number(largest)}.`));
  const tell = () => say(`${rows.name}[${row}, ${state.key}] = ${number(rows.values[row * columns + state.key])} · the row of “${word(state.token)}”`);
  tell();
}

function attentionPicture(room, layer) {
  const { number: pass, row } = passOf(state.token);
  const hook = `blocks.${layer}.attn.hook_pattern`;
  const maps = tensor(pass, hook);
  if (!maps) return room.append(nothing(`the attention of block ${layer}`));
  const nHeads = maps.shape[0];
  state.head = Math.min(state.head, nHeads - 1);
  const paint = sequential("--attention");
  // Rows of every pass together, where each pass still reads every position.
  const isWhole = run.passes.every((one, number) => tensor(number, hook)?.shape[2] === one.start + one.n_pos);
  const end = run.passes[run.passes.length - 1].start + run.passes[run.passes.length - 1].n_pos;
  const start = isWhole ? 0 : run.passes[pass].start;
  const [nRows, nKeys] = isWhole ? [end, end] : [maps.shape[1], maps.shape[2]];
  const places = Array.from({ length: end }, (_, position) => passOf(position));
  const valueAt = (one, head, y, x) => (x < one.shape[2] ? one.values[(head * one.shape[1] + y) * one.shape[2] + x] : 0);
  const share = isWhole ? (head, y, x) => valueAt(tensor(places[y].number, hook), head, places[y].row, x) : (head, y, x) => valueAt(maps, head, y, x);
  const masked = (y, x) => isWhole && x > y;
  const chosen = isWhole ? run.passes[pass].start + row : row;
  state.key = Math.min(state.key, isWhole ? chosen : nKeys - 1);
  const heads = make("div", { className: "heads", role: "group", "aria-label": "Heads" });
  for (let head = 0; head < nHeads; head++) {
    const button = make("button", { type: "button", className: "head", "aria-pressed": String(head === state.head), "aria-label": `Head L${layer}.H${head}` }, pixels(nRows, nKeys, (y, x) => share(head, y, x), paint, masked), make("span", { className: "mono" }, `L${layer}.H${head}`));
    button.addEventListener("click", () => { state.head = head; draw(); byId("canvas").querySelectorAll(".head")[head]?.focus(); });
    heads.append(button);
  }
  const scale = Math.max(4, Math.min(30, Math.floor(420 / Math.max(nKeys, nRows))));
  const canvas = pixels(nRows, nKeys, (y, x) => share(state.head, y, x), paint, masked, nRows * nKeys > 40000 ? 1 : 6);
  const map = mapOf(canvas, nRows, nKeys, scale, scale, chosen, (y) => word(start + y), (x) => word(x), `Attention of head L${layer}.H${state.head}: ${nRows} queries by ${nKeys} keys`, (y, x) => {
    state.key = x;
    chooseToken(start + y);
  });
  const rows = [];
  for (let x = 0; x < nKeys && !masked(chosen, x); x++) {
    const value = share(state.head, chosen, x);
    rows.push(make("tr", { className: x === state.key ? "chosen" : "", "data-key": String(x), "data-value": String(value) }, cell(String(x), "n"), cell(word(x), "word"), cell(percent(value), "n"), bar(value, "--attention")));
  }
  const table = make("table", {}, make("caption", {}, `Where “${word(state.token)}” looks in L${layer}.H${state.head}; the shares sum to 1`), make("thead", {}, heading(["key", "n"], ["token"], ["share", "n"], [""])), make("tbody", {}, ...rows));
  room.append(heads, make("div", { className: "side" }, map, table));
  say(`${maps.name}[${state.head}, ${row}, ${state.key}] = ${number(share(state.head, chosen, state.key))} · “${word(state.token)}” reads “${word(state.key)}”`);
}

/** A map with its labels, a ring on the chosen cell, and the arrow keys. */
function mapOf(canvas, rows, columns, width, height, chosenRow, rowName, columnName, label, choose) {
  const [left, top] = [rowName ? 96 : 0, columnName ? 72 : 0];
  canvas.style.cssText = `width: ${columns * width}px; height: ${rows * height}px; margin: ${top}px 0 0 ${left}px`;
  const ring = make("div", { className: "ring", style: `left: ${left + state.key * width - 1}px; top: ${top + chosenRow * height - 1}px; width: ${width + 4}px; height: ${height + 4}px` });
  // The chosen row and column, as the window marks them.
  const band = (kind, x, y, w, h) => make("div", { className: `band ${kind}`, style: `left: ${x}px; top: ${y}px; width: ${w}px; height: ${h}px` });
  const bands = [band("query", left, top + chosenRow * height, columns * width + 2, height + 2)];
  if (columnName) bands.push(band("key", left + state.key * width, top, width + 2, rows * height + 2));
  const map = make("div", { className: "map", tabIndex: 0, role: "application", "aria-label": `${label}. The arrow keys move the chosen cell.` }, canvas, ...bands, ring);
  if (rowName && height >= 9) for (let y = 0; y < rows; y++) map.append(make("span", { className: "axis", style: `left: 0; width: ${left - 8}px; text-align: right; overflow: hidden; top: ${top + y * height + height / 2 - 5}px${y === chosenRow ? "; color: var(--query); font-weight: 700" : ""}` }, rowName(y).slice(0, 13)));
  if (columnName && width >= 9) for (let x = 0; x < columns; x++) map.append(make("span", { className: "axis", style: `left: ${left + x * width + width / 2 - 5}px; bottom: ${rows * height + 8}px; writing-mode: vertical-rl; transform: rotate(180deg); max-height: ${top - 10}px; overflow: hidden${x === state.key ? "; color: var(--key); font-weight: 700" : ""}` }, columnName(x).slice(0, 9)));
  const clamp = (value, end) => Math.max(0, Math.min(end - 1, value));
  map.addEventListener("click", (event) => {
    const area = canvas.getBoundingClientRect();
    choose(clamp(Math.floor((event.clientY - area.top) / height), rows), clamp(Math.floor((event.clientX - area.left) / width), columns));
    byId("canvas").querySelector(".map")?.focus();
  });
  map.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    const [y, x] = [clamp(chosenRow + move[0], rows), clamp(state.key + move[1], columns)];
    ring.style.left = `${left + x * width - 1}px`;
    choose(y, x);
    byId("canvas").querySelector(".map")?.focus();
  });
  return map;
}

function lensPicture(room) {
  const { number: pass, row } = passOf(state.token);
  const points = run.lens[`${pass}.${row}`];
  if (!points) return room.append(nothing("the logit lens at this token"));
  const rows = [...points].reverse().map(([point, top]) => make("tr", {}, cell(point), ...top.flatMap(([text, share]) => [cell(visible(text), "word"), cell(percent(share), "n")])));
  const names = [["read after"], ["first"], ["", "n"], ["second"], ["", "n"], ["third"], ["", "n"]].slice(0, 1 + 2 * (points[0]?.[1].length || 0));
  room.append(make("table", {}, make("caption", {}, `What the model would say after “${word(state.token)}”, if it stopped there; the last block is at the top`), make("thead", {}, heading(...names)), make("tbody", {}, ...rows)));
  const [first, last] = [points[0], points[points.length - 1]];
  say(`after the ${first[0]}: “${visible(first[1][0]?.[0] ?? "")}” ${percent(first[1][0]?.[1] ?? 0)} → after ${last[0]}: “${visible(last[1][0]?.[0] ?? "")}” ${percent(last[1][0]?.[1] ?? 0)}`);
}

function logitsPicture(room) {
  const { number: pass } = passOf(state.token);
  const logits = run.passes[pass].logits;
  if (!logits.top.length) return room.append(nothing("the logits of this pass"));
  const most = logits.top[0][3];
  const rows = logits.top.map(([id, text, logit, p]) => make("tr", { "data-id": String(id), "data-logit": String(logit), "data-value": String(p) }, cell(visible(text), "word"), cell(String(id), "n"), cell(number(logit), "n"), cell(percent(p), "n"), bar(p / most, "--logit")));
  room.append(make("table", {}, make("caption", {}, `The likeliest tokens after “${word(run.passes[pass].start + run.passes[pass].n_pos - 1)}”`), make("thead", {}, heading(["token"], ["id", "n"], ["logit", "n"], ["probability", "n"], [""])), make("tbody", {}, ...rows)));
  const [, text, logit, p] = logits.top[0];
  const open = logits.entropy_bits === undefined ? "" : ` · the next token is open by ${logits.entropy_bits.toFixed(2)} bits`;
  say(`softmax: “${visible(text)}” e^${number(logit)} / Σ e^logit = ${percent(p)}${open}`);
}

function samplingPicture(room) {
  const { number: pass } = passOf(state.token);
  const draw = run.passes[pass].draw;
  if (!draw) {
    say(`“${word(state.token)}” ends the text: choose a token before it to see how the next one was drawn`);
    return room.append(make("p", { className: "none" }, "No token was drawn after this pass: the run stops here."));
  }
  const kept = draw.candidates.filter(([, , , share]) => share > 0);
  if (draw.random !== null && draw.random !== undefined) {
    const line = make("div", { className: "needle", role: "img", "aria-label": `The random number ${draw.random.toFixed(4)} falls on ${draw.text}` });
    for (const [text, id, , share] of kept) line.append(make("span", { className: id === draw.token ? "drawn" : "", style: `flex: ${share} 0 0` }, share > 0.03 ? visible(text ?? "") : ""));
    line.append(make("b", { style: `left: ${100 * draw.random}%` }));
    room.append(line);
  }
  const rows = draw.candidates.map(([text, id, p, share, reason]) => make("tr", { className: id === draw.token ? "chosen" : share > 0 ? "" : "out", "data-id": String(id), "data-value": String(share) }, cell(visible(text ?? ""), "word"), cell(percent(p), "n"), cell(share > 0 ? percent(share) : "out", "n"), bar(share, "--logit"), cell(reason || (id === draw.token ? "drawn" : ""))));
  room.append(make("table", {}, make("caption", {}, `${draw.n_kept ?? "?"} of ${draw.n_vocab ?? "?"} tokens can be drawn`), make("thead", {}, heading(["token"], ["probability", "n"], ["share", "n"], [""], ["why"])), make("tbody", {}, ...rows)));
  const settings = draw.settings && draw.settings.temperature !== undefined ? `temperature ${number(draw.settings.temperature)}` : "";
  say(draw.random === null || draw.random === undefined ? `no random number: “${visible(draw.text ?? "")}” was taken · ${settings}` : `random number ${draw.random.toFixed(6)} → “${visible(draw.text ?? "")}”, share ${percent(draw.share)} · ${settings}`);
}

function cachePicture(room) {
  const { number: pass } = passOf(state.token);
  const ledgers = run.ledgers || [];
  const most = Math.max(1, ...run.passes.map((one) => one.cache.used_bytes));
  const rows = run.passes.map((one, at) => make("tr", { className: at === pass ? "chosen" : "", "data-value": String(one.cache.used_bytes) }, cell(at === 0 ? "prefill" : `+ “${word(one.start)}”`, "word"), cell(String(one.cache.positions), "n"), cell(bytes(one.cache.used_bytes), "n"), bar(one.cache.used_bytes / most, "--cache")));
  room.append(make("table", {}, make("caption", {}, "Keys and values that are kept after each pass"), make("thead", {}, heading(["pass"], ["positions", "n"], ["bytes", "n"], [""])), make("tbody", {}, ...rows)));
  const ledger = ledgers.find((one) => one.pass === pass);
  if (ledger) say(`2 · ${ledger.layers.length} layers · ${ledger.n_kv_heads} KV heads · ${ledger.head_dim} values · ${ledger.bytes_per_value} bytes · ${ledger.positions} positions = ${bytes(ledger.formula_bytes)}`);
  else say("the bytes of this pass were not recorded");
}

// ---- the frame

const stages = [
  { address: "tokens", name: "Text and tokens", hue: "--residual", draw: textPicture, sentence: "The text in the pieces that the model reads, each a number of its vocabulary." },
  { address: "embed", name: "Embedding", hue: "--residual", draw: embeddingPicture, sentence: "Each token becomes a row of numbers: the same token, the same row." },
  ...Array.from({ length: run.model.n_layers }, (_, layer) => ({ address: `blocks.${layer}.attn.hook_pattern`, name: `Block ${layer}`, hue: "--attention", draw: (room) => attentionPicture(room, layer), sentence: "Where each head looks: a row is a token that asks, a column one that is read. A share says where values come from, not why." })),
  { address: "residual", name: "Logit lens", hue: "--residual", draw: lensPicture, sentence: "What the model would say if it stopped after each block. Early on it may mean little." },
  { address: "unembed.hook_out", name: "Logits", hue: "--logit", draw: logitsPicture, sentence: "A number for every token of the vocabulary, made into probabilities. A probability is not truth." },
  { address: "sample", name: "Sampling", hue: "--logit", draw: samplingPicture, sentence: "Filters take tokens out, and one random number picks among those that are left." },
  { address: "kv-cache", name: "KV cache", hue: "--cache", draw: cachePicture, sentence: "Keys and values that are kept, so that nothing is read twice." },
];

function chooseToken(position) {
  state.token = Math.max(0, Math.min(run.tokens.length - 1, position));
  draw();
}

function chooseStage(stage, moves = true) {
  state.stage = Math.max(0, Math.min(stages.length - 1, stage));
  if (moves) history.replaceState(null, "", `#${stages[state.stage].address}`);
  draw();
}

function draw() {
  const stage = stages[state.stage];
  byId("title").textContent = stage.name;
  byId("sentence").textContent = stage.sentence;
  const room = byId("canvas");
  room.replaceChildren();
  say("");
  stage.draw(room);
  document.querySelectorAll("#rail a").forEach((link, at) => (at === state.stage ? link.setAttribute("aria-current", "step") : link.removeAttribute("aria-current")));
  document.querySelectorAll(".token").forEach((token, at) => token.setAttribute("aria-selected", String(at === state.token)));
  byId("strip").setAttribute("aria-activedescendant", `token-${state.token}`);
  byId("where").textContent = `${stage.name}, ${state.stage + 1} of ${stages.length} · “${word(state.token)}”, position ${state.token}`;
  byId("back").disabled = state.stage === 0;
  byId("next").disabled = state.stage === stages.length - 1;
  const pass = run.passes[passOf(state.token).number];
  const seconds = pass.times.reduce((sum, [, one]) => sum + one, 0);
  byId("figures").textContent = `pass ${passOf(state.token).number} · ${pass.n_pos === 1 ? "1 token" : `${pass.n_pos} tokens`} · ${(1000 * seconds).toFixed(1)} ms`;
}

function begin() {
  const m = run.model;
  byId("model").textContent = `${m.name} · ${m.n_layers} blocks${m.n_heads ? ` of ${m.n_heads} heads, ${m.d_model} values wide` : ""} · a recorded run${run.edits.length ? ` with ${run.edits.length} edits: ${run.edits.join(", ")}` : ""}`;
  run.tokens.forEach(([id, text], position) => {
    const token = make("span", { className: position < run.prompt_len ? "token" : "token drawn", id: `token-${position}`, role: "option", title: `position ${position}, id ${id}` }, visible(text) || "∅");
    token.addEventListener("click", () => chooseToken(position));
    byId("strip").append(token);
  });
  stages.forEach((stage, at) => {
    const link = make("a", { href: `#${stage.address}`, style: `--hue: var(${stage.hue})` }, stage.name);
    link.addEventListener("click", (event) => { event.preventDefault(); chooseStage(at); });
    byId("rail").append(link);
  });
  byId("strip").addEventListener("keydown", (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1, Home: -1e9, End: 1e9 }[event.key];
    if (move === undefined) return;
    event.preventDefault();
    chooseToken(state.token + move);
  });
  byId("back").addEventListener("click", () => chooseStage(state.stage - 1));
  byId("next").addEventListener("click", () => chooseStage(state.stage + 1));
  byId("theme").addEventListener("click", () => {
    document.documentElement.dataset.theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    draw();
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = { n: () => chooseStage(state.stage + 1), b: () => chooseStage(state.stage - 1), "[": () => chooseToken(state.token - 1), "]": () => chooseToken(state.token + 1) };
    keys[event.key.toLowerCase()]?.();
  });
  const named = stages.findIndex((stage) => `#${stage.address}` === decodeURIComponent(location.hash));
  document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  chooseStage(Math.max(0, named), false);
}

begin();
