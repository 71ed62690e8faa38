/** The three faces of vskd (terminal.ts, piped.ts, none at all) as run.ts sees them. */
import type { Conversation, End } from './conversation';
import type { Transcript } from './transcript';

export interface FrontEnd {
  /** Writes what the transcript has for the user. */
  readonly show: (text: string) => void;
  /** Runs `start` (the commands of the command line), then its own input, until the session is over or left. */
  run(conversation: Conversation, transcript: Transcript, start: () => Promise<void>): Promise<End>;
  /** Puts back what it changed. Idempotent. */
  close(): void;
}

/** `-noio`: nothing is read, nothing is shown; the log file still gets everything. */
export class NoFrontEnd implements FrontEnd {
  readonly show = (): void => {};

  run(conversation: Conversation, transcript: Transcript, start: () => Promise<void>): Promise<End> {
    conversation.client.on('output', (item) => transcript.item(item));
    void start();
    return conversation.end;
  }

  close(): void {}
}
