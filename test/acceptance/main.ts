/**
 * The acceptance checklist of remote sessions: every point is tried on each transport it applies to, through vskd
 * processes, and counts once. Several tries run at a time; each has a limit.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VskdProcess } from '../support/vskdProcess';
import { discoveryPoints } from './discovery';
import { leavingPoints } from './leaving';
import { optionPoints } from './options';
import { reversePoints } from './reverse';
import { beyondPoints } from './beyond';
import { securePoints } from './secure';
import { serverPoints } from './servers';
import { sessionPoints } from './session';
import { startingPoints } from './starting';
import type { Point } from './support/point';
import { openRoom, quiet, type Room } from './support/room';
import { allTransports, certificate, type TransportName, transportOf } from './support/transports';
import { Trial } from './support/trial';

const points: readonly Point[] = [
  ...startingPoints,
  ...serverPoints,
  ...optionPoints,
  ...reversePoints,
  ...discoveryPoints,
  ...sessionPoints,
  ...leavingPoints,
  ...securePoints,
  ...beyondPoints,
];

const atOnce = 4;
/** These wait most of their time, so they begin first. */
const patient = [57, 58];
/** Seconds for one point on one transport. */
const limit = 120;

interface Outcome {
  readonly point: Point;
  readonly transport: TransportName;
  readonly seconds: number;
  readonly error?: unknown;
}

/** Something for one worker to do: one point, or all that share a room. */
type Job = (report: (outcome: Outcome) => void) => Promise<void>;

/** Resolves with the exit code. `socat`: this machine has it. */
export async function main(args: readonly string[], socat: boolean): Promise<number> {
  const { only, transports } = selection(args, socat);
  const chosen = points
    .filter((point) => only === undefined || only.includes(point.number))
    .sort((left, right) => left.number - right.number);
  const folder = mkdtempSync(join(tmpdir(), 'kda-'));
  try {
    const configuration = await makeCertificate(folder);
    const outcomes: Outcome[] = [];
    await runAll(jobs(chosen, transports, configuration), (outcome) => {
      outcomes.push(outcome);
      const { point, transport, seconds, error } = outcome;
      if (error !== undefined)
        print(`not ok ${point.number} ${transport} (${seconds.toFixed(1)} s)\n${text(error)}`);
    });
    return summary(chosen, outcomes);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function selection(
  args: readonly string[],
  socat: boolean,
): { only?: number[]; transports: readonly TransportName[] } {
  const value = (name: string) => {
    const at = args.indexOf(name);
    return at < 0 ? undefined : (args[at + 1] ?? '').split(',');
  };
  const known = args.every((arg, index) => index % 2 === 1 || ['--only', '--transport'].includes(arg));
  if (!known || args.length % 2 === 1)
    throw new Error('Usage: npm run acceptance -- [--only 15,20] [--transport ssl]');
  let transports: readonly TransportName[] = allTransports;
  if (!socat) {
    print('Without socat there is no serial cable: com is left out.');
    transports = transports.filter((name) => name !== 'com');
  }
  const wanted = value('--transport');
  const unknown = wanted?.find((name) => !allTransports.some((each) => each === name));
  if (unknown !== undefined)
    throw new Error(`No transport '${unknown}'; there are ${allTransports.join(', ')}.`);
  return {
    only: value('--only')?.map(Number),
    transports: transports.filter((name) => !wanted || wanted.includes(name)),
  };
}

/** The configuration folder that every trial starts with. */
async function makeCertificate(folder: string): Promise<string> {
  const configuration = join(folder, 'config');
  mkdirSync(configuration);
  const made = VskdProcess.withPipes(['-newcert', certificate], {
    XDG_CONFIG_HOME: configuration,
    APPDATA: configuration,
  });
  const { code, stderr } = await made.exit(60);
  if (code !== 0) throw new Error(`vskd -newcert failed: ${stderr}`);
  return configuration;
}

function jobs(chosen: readonly Point[], transports: readonly TransportName[], configuration: string): Job[] {
  const tries = (point: Point) => point.transports.filter((name) => transports.includes(name));
  const rooms: Job[] = transports.map((transport) => {
    const inside = chosen.filter((point) => point.test.kind === 'room' && tries(point).includes(transport));
    return (report) => runInRoom(inside, transport, configuration, report);
  });
  const own = (waits: boolean) =>
    chosen.flatMap((point): Job[] =>
      point.test.kind === 'room' || patient.includes(point.number) !== waits
        ? []
        : tries(point).map((transport) => (report) => runOwn(point, transport, configuration, report)),
    );
  return [...own(true), ...rooms, ...own(false)];
}

async function runAll(work: readonly Job[], report: (outcome: Outcome) => void): Promise<void> {
  const waiting = [...work];
  const worker = async () => {
    for (let job = waiting.shift(); job; job = waiting.shift()) await job(report);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

async function runOwn(
  point: Point,
  transport: TransportName,
  configuration: string,
  report: (outcome: Outcome) => void,
): Promise<void> {
  const { test } = point;
  if (test.kind !== 'own') return;
  const trial = new Trial(transportOf(transport), configuration);
  report(await attempt(point, transport, () => test.run(trial)));
  await trial.dispose();
}

/** A room in which a point failed may be in any state: the next point gets a new one. */
async function runInRoom(
  inside: readonly Point[],
  transport: TransportName,
  configuration: string,
  report: (outcome: Outcome) => void,
): Promise<void> {
  let trial: Trial | undefined;
  let room: Room | undefined;
  for (const point of inside) {
    const { test } = point;
    if (test.kind !== 'room') continue;
    const outcome = await attempt(point, transport, async () => {
      trial ??= new Trial(transportOf(transport), configuration);
      room ??= await openRoom(trial);
      await quiet(room);
      await test.run(room);
    });
    report(outcome);
    if (outcome.error === undefined) continue;
    await trial?.dispose();
    trial = undefined;
    room = undefined;
  }
  await trial?.dispose();
}

async function attempt(point: Point, transport: TransportName, run: () => Promise<void>): Promise<Outcome> {
  const started = performance.now();
  const since = () => (performance.now() - started) / 1000;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${limit} s`)), limit * 1000);
  });
  try {
    await Promise.race([run(), late]);
    return { point, transport, seconds: since() };
  } catch (error) {
    return { point, transport, seconds: since(), error };
  } finally {
    clearTimeout(timer);
  }
}

/** One line for each point, then the count. */
function summary(chosen: readonly Point[], outcomes: readonly Outcome[]): number {
  let passed = 0;
  let failed = 0;
  for (const point of chosen) {
    const its = outcomes.filter((outcome) => outcome.point === point);
    if (its.length === 0) continue;
    const bad = its.filter(({ error }) => error !== undefined);
    if (bad.length === 0) passed++;
    else failed++;
    const where = its.map(({ transport, error }) =>
      error === undefined ? transport : `${transport} FAILED`,
    );
    const seconds = its.reduce((sum, outcome) => sum + outcome.seconds, 0).toFixed(1);
    const mark = bad.length === 0 ? 'ok    ' : 'not ok';
    print(`${mark} ${point.number} ${point.title} (${where.join(', ')}; ${seconds} s)`);
  }
  print(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

function text(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
