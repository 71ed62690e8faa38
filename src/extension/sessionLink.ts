/**
 * Session links, `vscode://vscode-kd.vscode-kd/connect?remote=CLIENTSTRING`: a client string to be sent in a message.
 * Anybody can make a link, so it says where to connect and nothing else: no password, no file or certificate of the
 * reader's machine. Knows nothing of vscode.
 */
import { cleanClientString, problemOfClientString } from './connectionText';

/** The parts of `vscode.Uri` that a link consists of; they are decoded already. */
export interface LinkParts {
  readonly path: string;
  readonly query: string;
}

export type Link =
  /** `dropped` names what was taken out or masked, in the order of the string. */
  { readonly remote: string; readonly dropped: readonly string[] } | { readonly problem: string };

const extensionId = 'vscode-kd.vscode-kd';
const longest = 1024;
/** What could make a text look like another: control and format characters, and line separators. */
const misleading = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
/** Options that hold a secret or name something on the reader's machine, with commas where `@{...}` allows them. */
const personal = /([:,]\s*)(password|clientcert|ca)\s*=\s*(@\{[^}]*\}?[^,]*|[^,]*)/gi;

/** `scheme` is that of the editor, `vscode`; a password in the string becomes `*`. */
export function sessionLink(scheme: string, clientString: string): string {
  const { text } = withoutPersonal(cleanClientString(clientString));
  return `${scheme}://${extensionId}/connect?remote=${encodeURIComponent(text)}`;
}

/** Never throws, whatever the link holds. */
export function readSessionLink({ path, query }: LinkParts): Link {
  if (path !== '/connect') return { problem: 'This link is not for joining a session.' };
  // The editor may add parameters of its own.
  const given = /(?:^|&)remote=(.*?)(?=&[A-Za-z]+=|$)/s.exec(query)?.[1] ?? '';
  if (given === '') return { problem: 'This link names no debugging server.' };
  if (given.length > longest) return { problem: 'This link is too long for a connection string.' };
  if (misleading.test(given)) return { problem: 'This link holds characters that cannot be shown.' };
  const { text, dropped } = withoutPersonal(cleanClientString(given));
  const problem = problemOfClientString(text);
  if (problem === undefined) return { remote: text, dropped };
  // In square brackets the editor's messages would show a link that somebody else has made.
  return { problem: `This link is wrong: ${problem.replace(/[[\]]/g, ' ')}` };
}

/** Passwords of any form become `*`; what else is personal goes. */
function withoutPersonal(clientString: string): { readonly text: string; readonly dropped: string[] } {
  const dropped: string[] = [];
  const marked = clientString.replace(personal, (all, lead: string, key: string, value: string) => {
    if (/^password$/i.test(key)) {
      if (value.trim() === '*') return all;
      dropped.push('the password');
      return `${lead}${key}=*`;
    }
    dropped.push(key);
    return lead.startsWith(':') ? ':' : '';
  });
  return { text: marked.replace(/^([a-z]+:)\s*,/i, '$1'), dropped };
}
