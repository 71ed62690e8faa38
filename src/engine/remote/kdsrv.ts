/**
 * A KD connection server: lends the target links of this machine to debuggers elsewhere, bytes as they are. The
 * debugger's symbols and everything it knows of the target stay with it. Its doors are those of debugging servers.
 */
import { hostname } from 'node:os';
import { withLimit } from '../base/abort';
import { errorText, UserError } from '../base/errors';
import { oneLine } from '../session/text';
import { wireSource } from '../target/connection';
import { pump } from '../wire/relay';
import type { Wire } from '../wire/wire';
import { Admission } from './admission';
import { announceServer, type Announcement, type NetworkOptions } from './discovery';
import { openFirewall } from './firewall';
import { handshakeLimit, identityText } from './handshake';
import { linkWire } from './kdsrvLink';
import { kdsrvMessages as messages } from './kdsrvMessages';
import { lentConnection, linkKey, parseLink } from './kdsrvPolicy';
import { LineWire, parseLine } from './lineWire';
import { PasswordVerifier, resolvePassword } from './password';
import { formatClientString, formatServerString, hostOf, parseServerString } from './sessionString';
import { transportOf } from './transports';
import type { Door, Peer, ServerLayer } from './transports/transport';

export interface KdServerOptions {
  /** As after `.server`. */
  readonly server: string;
  /** Links as after `-k`; when there are any, no other is lent. */
  readonly allowed?: readonly string[];
  readonly askPassword?: () => Promise<string>;
  /** Told line by line who uses what. */
  readonly log?: (line: string) => void;
  readonly network?: NetworkOptions;
  /** Milliseconds between signs of life, and of silence until a debugger is given up. */
  readonly heartbeat?: { readonly interval: number; readonly limit: number };
}

export interface KdServer {
  /** What a debugger gives as `server=@{...}`. */
  readonly clientString: string;
  /** Whole lines for who started it. */
  readonly text: string;
  /** Resolves with the reason when it takes no more debuggers: its own serial port was unplugged. */
  readonly failed: Promise<Error> | undefined;
  /** Takes the links back. */
  dispose(): Promise<void>;
}

/** Links lent at the same time. */
const maxLinks = 16;

/** Rejects with a one-line UserError: a bad string, a port in use, no certificate. */
export async function startKdServer(options: KdServerOptions): Promise<KdServer> {
  const written = parseServerString(options.server);
  const { values } = written;
  const wrong = ['CliCon', 'Observer', 'Trust'].find((name) => values.has(name));
  if (wrong) throw new UserError(messages.notHere(wrong));
  const { allowed = [], askPassword, network } = options;
  for (const each of allowed) parseLink(each);
  const transport = transportOf(written.transport);
  const password = await resolvePassword(values.get('Password'), { ask: askPassword });
  const verifier = password === undefined ? undefined : await PasswordVerifier.create(password);
  const layer = await transport.serverLayer(written);
  const trusted = verifier !== undefined || layer.authenticates;
  const lender = new Lender({ ...options, allowed, trusted, layer, verifier, transport: written.transport });
  const door = await transport.carrier.listen(written, (wire, peer) => void lender.serve(wire, peer));
  lender.door = door;
  const { string, port } = door;
  const bound = hostOf(values, 'Bind');
  const host = bound === undefined || bound === '0.0.0.0' || bound === '::' ? hostname() : bound;
  const clientString = formatClientString(string, host, port);
  const spec = formatServerString(string, port);
  const advertise = values.has('Advertise');
  if (!values.has('Hidden'))
    lender.announcement = await announceServer(
      { kind: 'kernel', spec, clientString, advertise, port },
      network,
    );
  const lines = [
    messages.started(clientString),
    ...layer.notices,
    ...(lender.announcement?.notices ?? []),
    ...(values.has('IcfEnable') ? [await openFirewall(door.firewallPorts)] : []),
    ...(trusted ? [] : [messages.noPassword]),
  ];
  const text = lines.map((line) => `${line}\n`).join('');
  return { clientString, text, failed: door.failed, dispose: () => lender.dispose() };
}

interface LenderOptions extends KdServerOptions {
  readonly allowed: readonly string[];
  readonly trusted: boolean;
  readonly layer: ServerLayer;
  readonly verifier: PasswordVerifier | undefined;
  readonly transport: string;
}

interface Loan {
  readonly key: string;
  readonly who: string;
  readonly wire: Wire;
}

class Lender {
  door: Door | undefined;
  announcement: Announcement | undefined;
  private readonly admission = new Admission({ service: 'link' });
  private readonly loans = new Set<Loan>();
  private readonly stop = new AbortController();

  constructor(private readonly options: LenderOptions) {}

  /** One debugger, from its connection to its end. */
  async serve(wire: Wire, peer: Peer): Promise<void> {
    const { layer, verifier, transport } = this.options;
    const isOpen = () => !this.stop.signal.aborted;
    const server = { layer, verifier, isOpen, hasRoom: () => this.loans.size < maxLinks };
    const admitted = await this.admission.admit(server, wire, peer);
    if (!admitted) return;
    const who = `${identityText(admitted.identity)} (${transport} ${peer.address})`;
    const lines = new LineWire(admitted.wire);
    try {
      const { trans } = parseLine(await lines.readLine('{', withLimit(this.stop.signal, handshakeLimit)));
      if (typeof trans !== 'string') throw new UserError(messages.noTrans);
      await this.lend(admitted.wire, lines, who, trans);
    } catch (error) {
      const reason = oneLine(errorText(error), 500);
      this.options.log?.(messages.refused(who, reason));
      await lines.writeLine(JSON.stringify({ error: reason })).catch(() => {});
      lines.close();
    }
  }

  async dispose(): Promise<void> {
    this.stop.abort(new UserError('The KD connection server ends.'));
    this.admission.dispose();
    for (const { wire } of this.loans) wire.close();
    await Promise.all([this.door?.close(), this.announcement?.dispose()]);
  }

  private async lend(wire: Wire, lines: LineWire, who: string, trans: string): Promise<void> {
    const { log } = this.options;
    // By what it names, which is this machine's where the string leaves something out.
    const source = wireSource(parseLink(trans));
    const { name, bytesPerSecond } = source;
    const connection = lentConnection(trans, name, this.options);
    const key = linkKey(connection);
    // Every debugger has a demo machine of its own.
    const holder = key === 'demo' ? undefined : [...this.loans].find((each) => each.key === key);
    if (holder) throw new UserError(messages.inUse(name, holder.who));
    if (this.loans.size >= maxLinks) throw new UserError(messages.full(maxLinks));
    const loan: Loan = { key, who, wire };
    this.loans.add(loan);
    const gone = new AbortController();
    wire.closed(() => {
      this.loans.delete(loan);
      gone.abort(new UserError('The debugger has left.'));
    });
    const target = await source.open(AbortSignal.any([gone.signal, this.stop.signal]));
    if (gone.signal.aborted || this.stop.signal.aborted) {
      target.close();
      throw new UserError('The debugger has left.');
    }
    log?.(messages.using(who, name));
    const said = lines.writeLine(JSON.stringify({ link: name, bytesPerSecond }));
    const link = linkWire(lines.release(), {
      silent: messages.peerSilent,
      nonsense: messages.noSense('the debugger'),
      ...this.options.heartbeat,
    });
    pump(link, target, (error) => link.end(error.message));
    pump(target, link, (error) => link.end(error.message));
    target.closed((error) => link.end(error?.message ?? `The connection to ${name} was closed.`));
    link.closed((error) => {
      target.close();
      log?.(messages.left(who, name, error?.message));
    });
    await said;
  }
}
