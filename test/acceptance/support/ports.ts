/** Tcp ports for tests: below those the system hands out by itself, each given once per run, free when given. */
import { createServer } from 'node:net';

const lowest = 12_000;
const highest = 29_000;
let next = lowest + Math.floor(Math.random() * (highest - lowest));

export async function nextPort(): Promise<number> {
  return (await nextPorts(1))[0] ?? 0;
}

/** `count` ports in a row. */
export async function nextPorts(count: number): Promise<number[]> {
  for (;;) {
    if (next + count > highest) next = lowest;
    const ports = Array.from({ length: count }, (_, index) => next + index);
    next += count;
    const free = await Promise.all(ports.map((port) => isFree(port)));
    if (free.every(Boolean)) return ports;
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
