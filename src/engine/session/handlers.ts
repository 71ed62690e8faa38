/** What the session does for each request: one small handler per row of the table in protocol.ts. */
import { UserError } from '../base/errors';
import { TargetRunningError } from '../target/target';
import type { Engine } from '../command/engine';
import type { SessionClientEnd } from './clientEnd';
import { messages } from './messages';
import { checkParams, isRequestName } from './params';
import { requestTable, type RequestName, type Requests, type ResumeKind } from './protocol';
import { breakpointRow, frameRow, hex, instructionRow, moduleRow, registerRows } from './rows';
import type { Session } from './session';
import { oneLine } from './text';

export interface Call {
  readonly session: Session;
  readonly client: SessionClientEnd;
  /** Aborted when the client gives up the request or is gone. */
  readonly signal: AbortSignal;
}

type Handlers = {
  readonly [M in RequestName]: (call: Call, params: Requests[M]['params']) => Promise<Requests[M]['result']>;
};

/** In bytes. */
const maxTransfer = 1 << 20;
const maxFrames = 1024;
const maxRows = 4096;
const maxBreakpoints = 32;

/** The command that does what a typed resume does; shown to the others in its place. */
const resumeCommands: Readonly<Record<ResumeKind, string>> = {
  go: 'g',
  goHandled: 'gh',
  goNotHandled: 'gn',
  stepInto: 't',
  stepOver: 'p',
  stepOut: 'gu',
};

const handlers: Handlers = {
  async attach({ session, client }, { historyItems }) {
    if (!client.isJoined) client.join();
    const history = session.history(historyItems);
    return { client: client.info, banner: session.banner, state: session.state, history };
  },

  async execute({ session, client, signal }, { text, patient }) {
    return { ok: await session.runner.execute(client, text, { signal, patient }) };
  },

  async breakIn({ session }) {
    session.engine.target.breakIn();
    return null;
  },

  async cancel({ session, client }) {
    return { cancelled: session.people.cancel(client) };
  },

  async resume({ session, client }, { kind, processor }) {
    const { engine } = session;
    if (processor !== undefined) engine.processor = checkProcessor(engine, processor);
    session.print('resume', 'command', `${session.state.prompt}${resumeCommands[kind]}\n`, client.info);
    session.resumeKind = kind;
    await engine.resume(kind);
    return null;
  },

  async evaluate({ session }, { expression }) {
    return { value: hex(await session.engine.evaluate(expression)) };
  },

  async readMemory({ session, signal }, { address, count }) {
    if (count > maxTransfer) throw new UserError(`At most ${maxTransfer} bytes can be read at once.`);
    const bytes = await session.engine.target.readVirtual(BigInt(address), count, signal);
    return { data: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64') };
  },

  async writeMemory({ session }, { address, data }) {
    const bytes = Buffer.from(data, 'base64');
    if (bytes.length > maxTransfer)
      throw new UserError(`At most ${maxTransfer} bytes can be written at once.`);
    const written = await session.engine.target.writeVirtual(BigInt(address), bytes);
    session.broadcast('memoryChanged', { address, count: written });
    return { written };
  },

  async registers({ session: { engine } }, { processor }) {
    const { architecture } = engine.target;
    if (!architecture) throw new UserError(messages.notConnected);
    return {
      registers: registerRows(architecture, await engine.registers(checkProcessor(engine, processor))),
    };
  },

  async setRegister({ session }, { processor, name, value }) {
    const { engine } = session;
    checkProcessor(engine, processor);
    const literal = value.trim();
    const wanted = /^0x[0-9a-f]{1,32}$/i.test(literal) ? BigInt(literal) : await engine.evaluate(literal);
    await engine.setRegister(name, wanted, processor);
    session.broadcast('memoryChanged', {});
    return { value: hex((await engine.registers(processor)).get(name)) };
  },

  async stack({ session: { engine }, signal }, { processor, start, count }) {
    checkProcessor(engine, processor);
    const last = Math.min(start + count, maxFrames);
    const frames = await engine.stack(processor, Math.min(last + 1, maxFrames), signal);
    return { frames: frames.slice(start, last).map(frameRow), more: frames.length > last };
  },

  async disassemble({ session: { engine } }, { address, offset, count }) {
    if (count > maxRows || Math.abs(offset) > maxRows) {
      throw new UserError(`At most ${maxRows} instructions can be disassembled at once.`);
    }
    return { rows: (await engine.disassemble(BigInt(address), offset, count)).map(instructionRow) };
  },

  async modules({ session }) {
    return { modules: (await session.modules()).map(moduleRow) };
  },

  async breakpoints({ session }) {
    return { breakpoints: session.engine.breakpoints.list().map(breakpointRow) };
  },

  async setBreakpoints({ session: { engine } }, { owner, expressions }) {
    const { breakpoints } = engine;
    if (owner === '') throw new UserError("'owner' is empty; it says whose breakpoints these are.");
    const wanted = new Set(expressions);
    for (const each of breakpoints.list()) {
      if (each.owner === owner && !wanted.has(each.expression)) breakpoints.remove(each.id);
    }
    const results: Requests['setBreakpoints']['result']['results'] = [];
    for (const expression of expressions) {
      try {
        if (results.length >= maxBreakpoints)
          throw new UserError(`At most ${maxBreakpoints} breakpoints are allowed.`);
        const mine = breakpoints
          .list()
          .find((each) => each.owner === owner && each.expression === expression);
        const row = mine ?? breakpoints.add(await engine.evaluate(expression), expression, { owner });
        results.push({ breakpoint: breakpointRow(row) });
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        results.push({ error: error.message });
      }
    }
    return { results };
  },

  async complete({ session }, { text }) {
    return {
      items: session.language
        .complete(text)
        .slice(0, 1000)
        .map(({ label, detail }) => ({ label, detail })),
    };
  },

  async ping() {
    return null;
  },
};

/** Answers one request as its row says. */
export async function handle(call: Call, method: string, params: unknown): Promise<unknown> {
  if (!isRequestName(method)) throw new UserError(`Unknown request '${oneLine(method, 60)}'.`);
  const { session, client } = call;
  if (!client.isJoined && method !== 'attach') throw new UserError("Send 'attach' first.");
  if (!requestTable[method].observer) session.people.requireControl(client, method);
  const checked = checkParams(method, params);
  if (method !== 'ping' && requestTable[method].whileRunning === 'any') client.touch();
  if (!requestTable[method].observer)
    session.audit({ event: 'request', client: client.info, request: method });
  // The table and the handlers have the same keys and types; the check above made the parameters fit them.
  const handler = handlers[method] as (call: Call, params: Record<string, unknown>) => Promise<unknown>;
  const answer = () => {
    if (requestTable[method].whileRunning === 'refuse') requireStopped(session);
    return handler(call, checked);
  };
  if (!requestTable[method].queued) return answer();
  return session.queue.submit({ client: client.info.id, needsStop: false, run: answer }, call.signal);
}

function requireStopped({ engine }: Session): void {
  if (engine.stop) return;
  const { state } = engine.target;
  const reached = state === 'running' || state === 'stopped';
  throw reached ? new TargetRunningError() : new UserError(messages.notConnected);
}

function checkProcessor(engine: Engine, processor: number): number {
  const count = engine.target.processorCount;
  if (processor >= count) throw new UserError(`There is no processor ${processor}; the target has ${count}.`);
  return processor;
}
