/** What a running target asks or says: debug prints, prompts for a string, and files (packet types 3 and 11). */
import { Status } from './manipulate';
import { maxPayload } from './packet';
import { decodeText } from './stateChange';
import { ShortRecordError, struct } from './struct';

const debugIo = struct(16, {
  api: [0, 'u32'],
  processor: [6, 'u16'],
  length: [8, 'u32'],
  answerLength: [12, 'u32'],
});

const printString = 0x3230;
const getString = 0x3231;

const fileIo = struct(64, { api: [0, 'u32'], status: [4, 'u32'] });

export type DebugIo =
  | { readonly kind: 'print'; readonly text: string }
  | {
      readonly kind: 'prompt';
      readonly text: string;
      /** The packet that answers it; `answer` is cut to what the target has room for. */
      reply(answer: string): Uint8Array;
    };

/** Undefined when the packet makes no sense. */
export function decodeDebugIo(payload: Uint8Array): DebugIo | undefined {
  const header = tryDecode(debugIo, payload);
  if (!header) return undefined;
  const text = decodeText(
    payload.subarray(debugIo.size, Math.min(debugIo.size + header.length, payload.length)),
  );
  if (header.api === printString) return { kind: 'print', text };
  if (header.api !== getString) return undefined;
  return {
    kind: 'prompt',
    text,
    reply(answer) {
      const room = Math.min(header.answerLength, maxPayload - debugIo.size);
      const bytes = Buffer.from(answer, 'latin1').subarray(0, room);
      const packet = new Uint8Array(debugIo.size + bytes.length);
      packet.set(payload.subarray(0, debugIo.size));
      debugIo.write(packet, { answerLength: bytes.length });
      packet.set(bytes, debugIo.size);
      return packet;
    },
  };
}

/** The answer to any file request: there is no such file, so the target uses its own. */
export function refuseFileIo(payload: Uint8Array): Uint8Array | undefined {
  if (!tryDecode(fileIo, payload)) return undefined;
  const packet = payload.slice(0, fileIo.size);
  fileIo.write(packet, { status: Status.noSuchFile });
  return packet;
}

function tryDecode<T>(layout: { decode(bytes: Uint8Array): T }, payload: Uint8Array): T | undefined {
  try {
    return layout.decode(payload);
  } catch (error) {
    if (error instanceof ShortRecordError) return undefined;
    throw error;
  }
}
