// Compiles the gate: bpf/gate.bpf.c -> dist/bpf/gate.o. Needs clang.
const { mkdirSync } = require('node:fs');
const { join } = require('node:path');
const { compileBpf } = require('./compile-bpf.js');

mkdirSync(join(__dirname, '../dist/bpf'), { recursive: true });
compileBpf('bpf/gate.bpf.c', 'dist/bpf/gate.o');
