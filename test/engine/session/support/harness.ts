/** A session on a fake engine with clients over memory wires, and what they saw. */
import { memoryWirePair } from '../../../../src/engine/wire/memory';
import { nextEvent } from '../../../../src/engine/base/emitter';
import type { OutputItem } from '../../../../src/engine/session/protocol';
import type { ClientOptions } from '../../../../src/engine/session/clientEnd';
import { SessionClient, type AttachOptions } from '../../../../src/engine/session/rpc';
import { Session, type SessionOptions } from '../../../../src/engine/session/session';
import { FakeEngine, fakeLanguage, Gates } from './fakeEngine';

export function fakeSession(options: Partial<SessionOptions> = {}) {
  const engine = new FakeEngine();
  const gates = new Gates();
  const session = new Session({ engine, language: fakeLanguage(gates), connection: 'fake:', ...options });
  return { engine, gates, session, target: engine.target };
}

export class Watcher {
  readonly items: OutputItem[] = [];

  constructor(readonly client: SessionClient) {
    this.items.push(...client.history);
    client.on('output', (item) => this.items.push(item));
  }

  get text(): string {
    return this.items.map((item) => item.text).join('');
  }

  async run(text: string): Promise<boolean> {
    return (await this.client.request('execute', { text })).ok;
  }

  /** Waits until the text so far matches. */
  async sees(pattern: RegExp | string): Promise<void> {
    const found = () => (typeof pattern === 'string' ? this.text.includes(pattern) : pattern.test(this.text));
    while (!found()) {
      await nextEvent(
        this.client.on.bind(this.client, 'output') as never,
        () => true,
        AbortSignal.timeout(5000),
      );
    }
  }
}

export async function join(
  session: Session,
  who: Partial<ClientOptions> = {},
  options: AttachOptions = {},
): Promise<Watcher> {
  const [near, far] = memoryWirePair();
  session.addClient(far, { identity: 'LAB\\host', remote: false, ...who });
  return new Watcher(await SessionClient.attach(near, options));
}

export const ann = { identity: 'DEV\\ann (tcp 10.0.0.5:1)', remote: true };
export const bob = { identity: 'DEV\\bob (tcp 10.0.0.6:2)', remote: true };
