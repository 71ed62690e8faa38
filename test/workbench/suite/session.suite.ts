/** Whole kernel sessions through VS Code's debug API, on the demo machine. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import * as vscode from 'vscode';
import { DebugLog } from './debugLog';

interface Frame {
  readonly id: number;
  readonly name: string;
  readonly instructionPointerReference?: string;
}

export function sessionSuite(): void {
  describe('session', () => {
    let log: DebugLog;

    beforeEach(() => {
      log = new DebugLog();
    });

    afterEach(async () => {
      await log.endAll();
      log.dispose();
    });

    it('F5 without a configuration means the demo machine', async () => {
      const empty = { type: 'kd' } as vscode.DebugConfiguration;
      const session = await log.startWith(() => vscode.debug.startDebugging(undefined, empty));
      assert.equal(session.configuration['target'], 'demo:');
      await log.stopped(session);
    });

    it('debugs the demo machine: threads, stack, registers, memory, disassembly', async () => {
      const session = await log.start({ request: 'launch', target: 'demo:' });
      await log.stopped(session);
      const { threads } = (await session.customRequest('threads')) as {
        threads: { id: number; name: string }[];
      };
      assert.ok(threads.length >= 1);
      const threadId = threads[0]?.id;
      const { stackFrames } = (await session.customRequest('stackTrace', { threadId })) as {
        stackFrames: Frame[];
      };
      const [top] = stackFrames;
      assert.ok(top?.instructionPointerReference, 'the top frame says where it is');
      const { scopes } = (await session.customRequest('scopes', { frameId: top.id })) as {
        scopes: { name: string; variablesReference: number }[];
      };
      assert.ok(scopes.length >= 1);
      const memory = (await session.customRequest('readMemory', {
        memoryReference: top.instructionPointerReference,
        count: 16,
      })) as { data: string };
      assert.equal(Buffer.from(memory.data, 'base64').length, 16);
      const { instructions } = (await session.customRequest('disassemble', {
        memoryReference: top.instructionPointerReference,
        instructionCount: 5,
      })) as { instructions: { address: string; instruction: string }[] };
      assert.equal(instructions.length, 5);
      assert.equal(BigInt(instructions[0]?.address ?? 0), BigInt(top.instructionPointerReference));
    });

    it('selects the top frame and shows the disassembly where there is no source', async () => {
      const selected = new Promise<vscode.DebugStackFrame>((resolve) => {
        const subscription = vscode.debug.onDidChangeActiveStackItem((item) => {
          if (!(item instanceof vscode.DebugStackFrame)) return;
          subscription.dispose();
          resolve(item);
        });
      });
      const session = await log.start({ request: 'launch', target: 'demo:' });
      assert.equal((await selected).session.id, session.id);
      const { activeTabGroup } = vscode.window.tabGroups;
      const label = (): string | undefined => activeTabGroup.activeTab?.label;
      if (label() !== 'Disassembly') {
        await new Promise<void>((resolve) => {
          const subscription = vscode.window.tabGroups.onDidChangeTabs(() => {
            if (vscode.window.tabGroups.activeTabGroup.activeTab?.label !== 'Disassembly') return;
            subscription.dispose();
            resolve();
          });
        });
      }
    });

    it('runs, breaks in, and steps', async () => {
      const session = await log.start({ request: 'launch', target: 'demo:' });
      await log.stopped(session);
      let next = log.nextStop(session);
      await session.customRequest('continue', { threadId: 1 });
      await log.until(session, 'running', (state) => state.targetState === 'running');
      await log.active(session);
      await vscode.commands.executeCommand('kd.breakIn');
      await next;
      next = log.nextStop(session);
      await session.customRequest('next', { threadId: 1, granularity: 'instruction' });
      assert.equal((await next).description, 'Paused on step');
    });

    it('opens a server by command and a second session of this window joins it', async () => {
      const host = await log.start({ request: 'launch', target: 'demo:' });
      await log.stopped(host);
      const port = await freePort();
      await log.active(host);
      // Its last word is a message that waits for the user: not awaited.
      void vscode.commands.executeCommand('kd.startDebuggingServer', `tcp:port=${port}`);
      const { servers } = await log.until(host, 'a server', (state) => state.servers.length === 1);
      const remote = servers[0]?.clientString;
      assert.match(remote ?? '', new RegExp(`^tcp:Port=${port},Server=`));

      const joined = await log.startWith(() =>
        vscode.commands.executeCommand('kd.connectToRemoteSession', `0: <debugger> -remote ${remote}`),
      );
      const both = await log.until(host, 'the client', (state) => state.clients.length === 2);
      assert.equal(both.clients.filter((client) => client.remote).length, 1);

      await joined.customRequest('kd/execute', { text: '.echo from the client' });
      await log.output(host, /\[[^\]]+\\[^\]]+ \(tcp [^)]+\)\] .*\.echo from the client/);
      await log.output(host, /^from the client/m);
      await vscode.debug.stopDebugging(joined);
      await log.until(host, 'the client gone', (state) => state.clients.length === 1);
    });

    it('a password in the string lets us in; a wrong one gives one clear line', async () => {
      const port = await freePort();
      const server = `tcp:port=${port},password=Right1`;
      const host = await log.start({ request: 'launch', target: 'demo:', server });
      await log.until(host, 'a server', (state) => state.servers.length === 1);
      const joined = await log.start({
        request: 'attach',
        remote: `tcp:Port=${port},Server=localhost,Password=Right1`,
      });
      await log.until(joined, 'joined', (state) => state.targetState === 'stopped');
      const failure = await log.failure({
        request: 'attach',
        remote: `tcp:Port=${port},Server=localhost,Password=Wrong1`,
      });
      assert.match(failure, /0x80004005/);
      assert.doesNotMatch(failure, /Wrong1|Right1|\n/);
    });

    it('a server that is not there gives one clear line within seconds', async () => {
      const started = Date.now();
      const failure = await log.failure({
        request: 'attach',
        remote: `tcp:Port=${await freePort()},Server=localhost`,
      });
      assert.doesNotMatch(failure, /\n|at .*\.js/);
      assert.ok(failure.length > 20, failure);
      assert.ok(Date.now() - started < 10_000);
    });
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}
