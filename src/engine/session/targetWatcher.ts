/** Turns what the target does into what the clients see: connection lines, its own output, the lines of a stop. */
import { errorText } from '../base/errors';
import type { Disposable } from '../base/emitter';
import type { TargetState, TargetStateChange, TargetStop, TargetVersion } from '../target/target';
import { messages } from './messages';
import type { StopInfo } from './protocol';
import { stopRow } from './rows';
import type { Session } from './session';

/** Longest time that describing a stop may take, in milliseconds. */
const describeLimit = 10_000;

export class TargetWatcher {
  /** The stop that was shown last; undefined while the target is not stopped. */
  stop: StopInfo | undefined;
  private previous: TargetState = 'connecting';
  private shownDetail = '';
  private breakWanted: boolean;
  private readonly subscriptions: Disposable[] = [];

  constructor(private readonly session: Session) {
    this.breakWanted = session.initialBreak;
  }

  /** Begins with the state the target is in now. */
  start(): void {
    const { engine } = this.session;
    const { target } = engine;
    this.subscriptions.push(
      target.stateChanged((change) => this.onState(change)),
      engine.stopped((stop) => this.onStopped(stop)),
      target.output((text) => this.session.print('target', 'debuggee', text)),
    );
    this.onState({ state: target.state, detail: target.detail });
    if (engine.stop) this.onStopped(engine.stop);
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private onState({ state, detail }: TargetStateChange): void {
    const { session, previous } = this;
    const reached = state === 'running' || state === 'stopped';
    const wasStopped = this.stop !== undefined;
    this.previous = state;
    if (state !== 'stopped') {
      this.stop = undefined;
      session.queue.setStopped(false);
    }
    if (reached && (previous === 'connecting' || previous === 'lost')) this.showConnected();
    if (!reached && detail !== '' && detail !== this.shownDetail) session.notice(detail);
    this.shownDetail = reached ? '' : detail;
    if (state === 'running' && wasStopped) {
      session.broadcast('resumed', { kind: session.resumeKind });
      session.resumeKind = 'go';
    }
    if (state === 'stopped') this.breakWanted = false;
    // A stop is told when its lines have been printed.
    if (state !== 'stopped') session.updateState();
    if (state === 'closed') void session.end(detail === '' ? messages.targetClosed : detail);
  }

  private showConnected(): void {
    const { version, architecture } = this.session.engine.target;
    if (version && architecture) {
      const what = `${systemName(version)} ${version.build} ${architectureNames[architecture.name]}`;
      this.session.notice(messages.connectedTarget(what, new Date(), architecture.pointerSize === 8));
    }
    this.session.notice(messages.established(this.breakWanted));
  }

  private onStopped(stop: TargetStop): void {
    const { session } = this;
    const { engine } = session;
    session.queue.runFirst(async () => {
      const text = await describe(engine.describeStop(stop));
      // Lost or gone on in the meantime: there is nothing to show any more.
      if (engine.stop !== stop) return;
      session.print('stop', 'normal', text.endsWith('\n') || text === '' ? text : `${text}\n`);
      this.stop = stopRow(stop, engine, text);
      session.broadcast('stopped', this.stop);
      session.queue.setStopped(true);
      session.updateState();
    });
  }
}

async function describe(lines: Promise<string>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(messages.stopFailed('no answer')), describeLimit);
  });
  const failed = (error: unknown) => messages.stopFailed(errorText(error));
  return Promise.race([lines.catch(failed), late]).finally(() => clearTimeout(timer));
}

const architectureNames = { amd64: 'x64', x86: 'x86', arm64: 'ARM64' } as const;

/** The system's name by its build number, as WinDbg says it on connecting. */
function systemName({ build }: TargetVersion): string {
  if (build >= 10_240) return 'Windows 10';
  if (build >= 9200) return 'Windows 8';
  if (build >= 7600) return 'Windows 7';
  if (build >= 6000) return 'Windows Vista';
  return 'Windows';
}
