// Names the public functions that take more than one argument, besides self, and have no example.
//
// node .ci/without-example.mjs target/surface/doc/soquete.json     rustdoc's JSON

import fs from 'node:fs';

const { root, index } = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const without = new Set();
let seen = 0;

function walk(id, path, visited) {
  const item = index[id];
  if (!item || visited.has(id)) return;
  visited = new Set(visited).add(id);
  const [[kind, inner]] = Object.entries(item.inner);
  const here = item.name ? [...path, item.name] : path;
  if (kind === 'use') {
    walk(inner.id, path, visited);
  } else if (kind === 'module' || kind === 'trait') {
    for (const child of inner.items) walk(child, here, visited);
  } else if (kind === 'struct' || kind === 'enum') {
    for (const impl of inner.impls.map((id) => index[id]?.inner.impl)) {
      // What a trait asks for is shown at the trait.
      if (!impl || impl.trait) continue;
      for (const child of impl.items) walk(child, here, visited);
    }
  } else if (kind === 'function') {
    const args = inner.sig.inputs.filter(([name]) => name !== 'self');
    if (args.length < 2) return;
    seen++;
    if (!item.docs?.includes('```')) without.add(here.join('::'));
  }
}

walk(root, [], new Set());
if (seen < 100) {
  console.error(`${seen} functions with several arguments: the format of rustdoc's JSON has changed`);
  process.exit(1);
}
if (without.size > 0) {
  console.error(`more than one argument, and no example:\n  ${[...without].sort().join('\n  ')}`);
  process.exit(1);
}
console.log(`${seen} functions with several arguments have examples`);
