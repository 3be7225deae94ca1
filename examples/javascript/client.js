// A client of shunt in JavaScript, written from the contract on the bus alone.
//
//   node client.js nats://127.0.0.1:4222 IMAGE
//
// It shows the nodes, gives the fleet a job, waits for its last word, reads the
// output of its container, asks why it ran where it ran, and hands in a job
// that is wrong, to see what is said about it.
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, createInbox, headers } from "@nats-io/transport-node";

const [url, image] = process.argv.slice(2);
if (!url || !image) {
  console.error("usage: node client.js URL IMAGE");
  process.exit(2);
}
const nc = await connect({ servers: url, name: "example" });
const js = jetstream(nc);
const jsm = await jetstreamManager(nc);

// ask is a verb with one answer. An error comes in the headers.
async function ask(subject, request = {}) {
  const reply = await nc.request(subject, JSON.stringify({ v: 1, ...request }), { timeout: 10_000 });
  const error = reply.headers?.get("Nats-Service-Error");
  if (error) throw new Error(error);
  return reply.json();
}

// pages is a list, page by page.
async function* pages(subject, field, request = {}) {
  for (let cursor; ; ) {
    const page = await ask(subject, cursor ? { ...request, cursor } : request);
    yield* page[field];
    if (!page.next) return;
    cursor = page.next;
  }
}

// run gives the fleet a job and waits for its last word, or for its rejection.
// It listens before it submits, and believes the stream, not the message: NATS
// also delivers a message that the stream then refuses.
async function run(job) {
  const said = nc.subscribe(`shunt.done.${job.id}`, { max: 1, timeout: 60_000 });
  const rejected = nc.subscribe(`shunt.outcome._placer.${job.id}`, { max: 1 });
  await js.publish(`shunt.job.${job.id}`, JSON.stringify({ v: 1, ...job }));
  const refused = (async () => {
    for await (const m of rejected) throw new Error(`${m.json().error.code}: ${m.json().error.message}`);
  })();
  let over = false;
  const ended = (async () => {
    for await (const _ of said) break;
    while (!over) {
      const word = await jsm.streams.getMessage("SHUNT_DONE", { last_by_subj: `shunt.done.${job.id}` });
      if (word) return word.json();
      await pause(100); // heard before it is stored
    }
  })();
  try {
    return await Promise.race([ended, refused.then(() => ended)]);
  } finally {
    over = true;
    said.unsubscribe();
    rejected.unsubscribe();
  }
}

// frames is a streamed answer: numbered messages, an empty one at the end.
async function* frames(subject, request) {
  const inbox = createInbox();
  const sub = nc.subscribe(inbox);
  try {
    nc.publish(subject, JSON.stringify({ v: 1, ...request }), { reply: inbox });
    let due = 1;
    for await (const m of sub) {
      const error = m.headers?.get("Nats-Service-Error");
      if (error) throw new Error(error);
      if (m.headers?.code === 503) throw new Error(`nobody answers on ${subject}`);
      if (Number(m.headers?.get("Shunt-Seq")) !== due++) throw new Error("frames were lost");
      if (m.data.length === 0) return;
      if (!m.headers.get("Shunt-Beat")) yield { stream: m.headers.get("Shunt-Stream"), data: m.data };
    }
  } finally {
    sub.unsubscribe();
  }
}

for await (const node of pages("shunt.placer.nodes", "nodes")) {
  const runs = node.platforms.map((p) => `${p.os}/${p.arch}`).join(", ");
  console.log(`node ${node.node} is ${node.state} and runs ${runs}`);
}

const id = `js-${randomUUID()}`;
const record = await run({ id, op: "run", spec: { image } });
console.log(`job ${record.state} on ${record.node}, exit code ${record.outcome.result.exit_code}`);

for await (const frame of frames(`shunt.node.${record.node}.logs`, { job: id })) {
  process.stdout.write(`${frame.stream}: ${Buffer.from(frame.data)}`);
}

const why = await ask("shunt.placer.explain", { id });
for (const n of why.nodes) console.log(`${n.node}: ${n.ok ? `score ${n.score.toFixed(1)}` : `${n.code}, ${n.reason}`}`);

// A command to one node, which is answered by the attempt's last outcome.
const h = headers();
h.set("Shunt-Wait", "30s");
const direct = JSON.stringify({ v: 1, id: `${id}-direct`, op: "run", spec: { image } });
const outcome = (await nc.request(`shunt.cmd.${record.node}`, direct, { timeout: 40_000, headers: h })).json();
console.log(`directly: ${outcome.status}`);

try {
  await run({ id: `${id}-bad`, op: "walk" });
} catch (err) {
  console.log(`a bad job: ${err.message}`);
}
await nc.close();
