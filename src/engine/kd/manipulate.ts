/**
 * State-manipulation requests (packet type 2): a 56-byte header whose bytes 16..55 are a union by API number, then
 * data. The files beside this one describe the unions, one file per group of requests (reactos `windbgkd.h`).
 */
import { UserError } from '../base/errors';
import type { KdLink } from './link';
import { maxPayload } from './packet';
import { ShortRecordError, struct, type Fields, type Struct, type Values } from './struct';

export const Api = {
  readVirtualMemory: 0x3130,
  writeVirtualMemory: 0x3131,
  getContext: 0x3132,
  setContext: 0x3133,
  writeBreakPoint: 0x3134,
  restoreBreakPoint: 0x3135,
  continue: 0x3136,
  readControlSpace: 0x3137,
  writeControlSpace: 0x3138,
  readIoSpace: 0x3139,
  writeIoSpace: 0x313a,
  reboot: 0x313b,
  continue2: 0x313c,
  readPhysicalMemory: 0x313d,
  writePhysicalMemory: 0x313e,
  getVersion: 0x3146,
  causeBugCheck: 0x3149,
  switchProcessor: 0x3150,
  readMsr: 0x3152,
  writeMsr: 0x3153,
  getContextEx: 0x315f,
  setContextEx: 0x3160,
} as const;

/** NTSTATUS values that requests meet. */
export const Status = {
  success: 0,
  pending: 0x103,
  unsuccessful: 0xc0000001,
  noSuchFile: 0xc000000f,
} as const;

export const manipulateHeader = struct(56, {
  api: [0, 'u32'],
  processorLevel: [4, 'u16'],
  processor: [6, 'u16'],
  status: [8, 'u32'],
});

/** Offset and size of the per-API union. */
export const unionOffset = 16;
export const unionSize = 40;
/** Bytes of data that fit one request or reply. */
export const maxData = maxPayload - manipulateHeader.size;

/** The target's answer made no sense. */
export class ProtocolError extends UserError {
  override readonly name = 'ProtocolError';
}

/** A request was refused by the target. */
export class TargetStatusError extends UserError {
  override readonly name = 'TargetStatusError';
  constructor(
    what: string,
    readonly status: number,
  ) {
    super(`${what} failed with status 0x${status.toString(16)}.`);
  }
}

/** A union's layout over the 40 bytes. */
export const union = <const F extends Parameters<typeof struct>[1]>(fields: F) =>
  struct<F>(unionSize, fields);

export interface Reply<F extends Fields> {
  readonly status: number;
  readonly values: Values<F>;
  readonly data: Uint8Array;
}

const noData = new Uint8Array(0);

export function encodeRequest(
  api: number,
  processor: number,
  unionBytes: Uint8Array,
  data: Uint8Array = noData,
): Uint8Array {
  const payload = new Uint8Array(manipulateHeader.size + data.length);
  manipulateHeader.write(payload, { api, processor, status: Status.pending });
  payload.set(unionBytes, unionOffset);
  payload.set(data, manipulateHeader.size);
  return payload;
}

/** Sends one request and decodes its reply; the status is the caller's to look at. */
export async function request<F extends Fields>(
  link: KdLink,
  api: number,
  processor: number,
  layout: Struct<F>,
  values: Partial<Values<F>>,
  data?: Uint8Array,
): Promise<Reply<F>> {
  const payload = encodeRequest(api, processor, layout.encode(values), data);
  const reply = await link.request(payload, api);
  try {
    const { status } = manipulateHeader.decode(reply);
    return {
      status,
      values: layout.decode(reply, unionOffset),
      data: reply.subarray(manipulateHeader.size),
    };
  } catch (error) {
    if (!(error instanceof ShortRecordError)) throw error;
    throw new ProtocolError(`The target's answer to request 0x${api.toString(16)} is too short.`, {
      cause: error,
    });
  }
}

/** Sends a request that has no reply. */
export function sendRequest<F extends Fields>(
  link: KdLink,
  api: number,
  processor: number,
  layout: Struct<F>,
  values: Partial<Values<F>>,
): Promise<void> {
  return link.send(encodeRequest(api, processor, layout.encode(values)));
}

export function expectSuccess(status: number, what: string): void {
  if (status !== Status.success) throw new TargetStatusError(what, status);
}
