// What has to be decided for each public item, as rustdoc's JSON tells it:
//
// - a function of more than one argument, besides self, has an example;
// - an enum, or a struct with public fields only, is `#[non_exhaustive]`, or complete by its nature and in the list;
// - a type whose methods return it changed is `#[must_use]`, or in the list.
//
// node .ci/public-surface.mjs target/surface/doc/soquete.json

import fs from 'node:fs';

/// Complete by their nature, or made by users as well.
const EXHAUSTIVE = new Set([
  'Flow', 'events::NoEvent', 'framing::ByteOrder', 'framing::Either', 'framing::Flow', 'framing::Malformed',
  'framing::Partial', 'framing::RespVersion', 'framing::http::Body', 'framing::websocket::Close', 'framing::websocket::Refusal',
  'fuzzing::End', 'fuzzing::Naive', 'fuzzing::Seen', 'net::Family', 'net::ReadyState',
]);
/// Of use without what their methods return.
const DROPPED = new Set(['net::Frames']);

const { root, index } = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const complaints = new Set();
const seen = { functions: 0, types: 0 };

const has = (item, attribute) => JSON.stringify(item.attrs).includes(attribute);
const own = (item) => item.inner.struct ?? item.inner.enum;

function isOpen(item) {
  const fields = item.inner.struct?.kind.plain;
  if (!fields) return Boolean(item.inner.enum);
  return !fields.has_stripped_fields && fields.fields.some((id) => index[id]?.visibility === 'public');
}

function changesItself(item, method) {
  const { inputs, output } = method.inner.function.sig;
  const [first] = inputs;
  if (first?.[0] !== 'self' || first[1].generic !== 'Self') return false;
  return output?.generic === 'Self' || output?.resolved_path?.id === item.id;
}

function type(item, name) {
  seen.types++;
  if (isOpen(item) && !has(item, 'non_exhaustive') && !EXHAUSTIVE.has(name)) {
    complaints.add(`${name} is not #[non_exhaustive]`);
  }
  const impls = own(item).impls.map((id) => index[id]?.inner.impl);
  // What a trait asks for is shown at the trait.
  const methods = impls.filter((impl) => impl && !impl.trait).flatMap((impl) => impl.items);
  for (const method of methods.map((id) => index[id]).filter((method) => method?.inner.function)) {
    callable(method, `${name}::${method.name}`);
    const used = has(item, 'must_use') || has(method, 'must_use') || DROPPED.has(name);
    if (changesItself(item, method) && !used) complaints.add(`${name}, of ${method.name}, is not #[must_use]`);
  }
}

function callable(item, name) {
  if (item.inner.function.sig.inputs.filter(([name]) => name !== 'self').length < 2) return;
  seen.functions++;
  if (!item.docs?.includes('```')) complaints.add(`${name} has more than one argument, and no example`);
}

function walk(id, path, visited) {
  const item = index[id];
  if (!item || visited.has(id)) return;
  visited = new Set(visited).add(id);
  const [[kind, inner]] = Object.entries(item.inner);
  const here = id === root || !item.name ? path : [...path, item.name];
  if (kind === 'use') walk(inner.id, path, visited);
  if (kind === 'module' || kind === 'trait') for (const child of inner.items) walk(child, here, visited);
  if (kind === 'struct' || kind === 'enum') type(item, here.join('::'));
  if (kind === 'function') callable(item, here.join('::'));
}

walk(root, [], new Set());
if (seen.functions < 100 || seen.types < 50) complaints.add('hardly anything: the format of the JSON has changed');
if (complaints.size > 0) {
  console.error([...complaints].sort().join('\n'));
  process.exit(1);
}
console.log(`${seen.types} types and ${seen.functions} functions of several arguments are as they should be`);
