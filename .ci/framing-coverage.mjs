// Puts together what `llvm-cov export` says of several programs: a region of the source is covered if any
// program has run it, in whatever instance of a generic function. `llvm-cov report` counts the best instance.
//
//     node framing-coverage.mjs [--missing] EXPORT.json...
import { readFileSync } from 'node:fs';

const ofCode = 0;
const missing = process.argv.includes('--missing');
const files = new Map();

for (const path of process.argv.slice(2).filter((argument) => !argument.startsWith('--'))) {
    for (const { functions } of JSON.parse(readFileSync(path, 'utf8')).data) {
        for (const { filenames, regions } of functions) {
            for (const [line, column, endLine, endColumn, count, file, , kind] of regions) {
                const name = filenames[file].match(/\bsrc\/framing\/(?!fuzz\/).*/)?.[0];
                if (kind !== ofCode || !name) continue;
                if (!files.has(name)) files.set(name, new Map());
                const key = `${line}:${column}-${endLine}:${endColumn}`;
                const known = files.get(name);
                known.set(key, (known.get(key) ?? false) || count > 0);
            }
        }
    }
}

// A format in several files is one row, the reader and all around it another.
const rows = new Map();
const of = (name) => name.match(/^src\/framing\/formats\/(\w+)/)?.[1] ?? 'the reader, the writer, and what formats share';
for (const [name, regions] of files) {
    const row = rows.get(of(name)) ?? { all: 0, covered: 0 };
    row.all += regions.size;
    row.covered += [...regions.values()].filter(Boolean).length;
    rows.set(of(name), row);
}

const share = ({ all, covered }) => `${((100 * covered) / all).toFixed(1)} %`;
const shown = (name, row) => console.log(`| ${name} | ${row.all} | ${row.all - row.covered} | ${share(row)} |`);
console.log('| part of `src/framing` | regions | not covered | covered |\n|---|---:|---:|---:|');
const total = { all: 0, covered: 0 };
for (const [name, row] of [...rows].sort(([a], [b]) => (a < b ? -1 : 1))) {
    shown(name, row);
    total.all += row.all;
    total.covered += row.covered;
}
shown('all', total);

if (missing) {
    const start = (key) => key.split(/[:-]/).map(Number);
    for (const [name, regions] of [...files].sort()) {
        const left = [...regions].filter(([, covered]) => !covered).map(([key]) => key);
        left.sort((a, b) => start(a)[0] - start(b)[0] || start(a)[1] - start(b)[1]);
        for (const key of left) console.log(`${name}:${key}`);
    }
}
