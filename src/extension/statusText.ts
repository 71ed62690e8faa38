/**
 * The words of the status bar item for one session: a short label and a tooltip with everything a colleague would
 * ask (who is in, how to join). Knows nothing of vscode.
 */
import type { ClientInfo, SessionState } from '../engine/session/protocol';

export interface StatusText {
  /** With codicons, for a status bar item. */
  readonly label: string;
  /** Markdown. */
  readonly tooltip: string;
  /** For screen readers. */
  readonly spoken: string;
  readonly warning: boolean;
}

const icons: Record<SessionState['targetState'], string> = {
  connecting: '$(sync~spin)',
  running: '$(debug-continue)',
  stopped: '$(debug-pause)',
  lost: '$(debug-disconnect)',
  closed: '$(debug-stop)',
};

export function statusText(state: SessionState | undefined): StatusText {
  if (!state) {
    return {
      label: '$(sync~spin) KD connecting',
      tooltip: 'The kernel session is being set up.',
      spoken: 'Kernel debugger connecting',
      warning: false,
    };
  }
  const servers = state.servers.filter((server) => !server.disabled);
  const clients = state.clients.filter((client) => client.remote);
  const parts = [`${icons[state.targetState]} KD ${state.targetState}`];
  if (servers.length > 0) parts.push(`$(broadcast) ${servers.length}`);
  if (clients.length > 0) parts.push(`$(person) ${clients.length}`);

  const lines = [`**${code(state.connection)}** ${state.targetState}`];
  if (state.detail !== '') lines.push(escapeMarkdown(state.detail));
  if (state.stop) lines.push(`Processor ${state.stop.processor}: ${escapeMarkdown(state.stop.description)}`);
  if (servers.length > 0) {
    lines.push(
      ['Servers', ...servers.map((server) => `- ${server.id}: ${code(server.clientString)}`)].join('\n'),
    );
  }
  if (clients.length > 0) {
    lines.push(['Clients', ...clients.map((client) => `- ${clientLine(client)}`)].join('\n'));
  }
  const counts = `${count(servers.length, 'server')}, ${count(clients.length, 'client')}`;
  return {
    label: parts.join(' '),
    tooltip: lines.join('\n\n'),
    spoken: `Kernel debugger ${state.targetState}, ${counts}`,
    warning: state.targetState === 'lost',
  };
}

/** A client for a list: names come from remote machines, so none of it may act as an icon. */
export function clientText(client: ClientInfo): { readonly name: string; readonly role: string } {
  const role = client.role === 'observe' ? 'observer' : 'control';
  const name = client.identity.replace(/\$\(/g, '\\$(').replace(/\s+/g, ' ');
  return { name, role: client.away ? `${role}, connection broken` : role };
}

export interface RoleAction {
  readonly label: string;
  readonly detail: string;
  readonly role: 'observe' | 'control' | 'kick';
}

/** What the owner of a session can do to a client. */
export function roleActions(client: ClientInfo): RoleAction[] {
  const change: RoleAction =
    client.role === 'observe'
      ? {
          label: '$(person) Give Control',
          detail: 'May use all commands that clients may use.',
          role: 'control',
        }
      : { label: '$(eye) Make Observer', detail: 'Sees everything, changes nothing.', role: 'observe' };
  const kick: RoleAction = {
    label: '$(debug-disconnect) Disconnect',
    detail: 'Ends the connection; who has the password can come back.',
    role: 'kick',
  };
  return [change, kick];
}

function clientLine(client: ClientInfo): string {
  const notes = [client.role === 'observe' && 'observer', client.away && 'connection broken'];
  const shown = notes.filter((each) => each !== false && each !== undefined);
  return escapeMarkdown(client.identity) + (shown.length > 0 ? ` *(${shown.join(', ')})*` : '');
}

function count(amount: number, what: string): string {
  return `${amount} ${what}${amount === 1 ? '' : 's'}`;
}

/** Identities come from remote machines: nothing in them may act as Markdown. */
function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>&~$]/g, '\\$&').replace(/\s+/g, ' ');
}

function code(text: string): string {
  return `\`${text.replace(/[`\r\n]/g, ' ')}\``;
}
