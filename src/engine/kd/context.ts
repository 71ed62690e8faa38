/** Requests for a processor's CONTEXT record: whole or in slices, with the fall-back older targets need. */
import type { KdLink } from './link';
import { Api, expectSuccess, ProtocolError, request, Status, union } from './manipulate';

const contextFlags = union({ flags: [0, 'u32'] });
const contextEx = union({ offset: [0, 'u32'], count: [4, 'u32'], copied: [8, 'u32'] });

/** Slices of SetContextEx; this size is known to work everywhere. */
const slice = 512;

/** How the target gave the context; it must be written the same way. */
export type ContextForm = 'whole' | 'slices';

export interface ContextResult {
  readonly context: Uint8Array;
  readonly form: ContextForm;
}

/** Reads `size` bytes of CONTEXT; `form` is what worked the last time. */
export async function getContext(
  link: KdLink,
  processor: number,
  size: number,
  form: ContextForm | undefined,
): Promise<ContextResult> {
  if (form !== 'whole') {
    const { status, values, data } = await request(link, Api.getContextEx, processor, contextEx, {
      count: size,
    });
    const copied = Math.min(values.copied, data.length);
    if (status === Status.success && copied >= size) {
      return { context: data.slice(0, size), form: 'slices' };
    }
  }
  const { status, data } = await request(link, Api.getContext, processor, contextFlags, {});
  expectSuccess(status, `Reading the registers of processor ${processor}`);
  if (data.length < size) {
    throw new ProtocolError(
      `The target's register record has ${data.length} bytes where ${size} are expected.`,
    );
  }
  return { context: data.slice(0, size), form: 'whole' };
}

/** Writes a whole AMD64 CONTEXT (ContextFlags at 0x30). Targets accept it only after one was read in the same stop. */
export async function setContext(
  link: KdLink,
  processor: number,
  context: Uint8Array,
  form: ContextForm,
): Promise<void> {
  if (form === 'slices' && (await setContextSlices(link, processor, context))) return;
  const flags = new DataView(context.buffer, context.byteOffset).getUint32(0x30, true);
  const { status } = await request(link, Api.setContext, processor, contextFlags, { flags }, context);
  expectSuccess(status, `Writing the registers of processor ${processor}`);
}

async function setContextSlices(link: KdLink, processor: number, context: Uint8Array): Promise<boolean> {
  for (let offset = 0; offset < context.length; offset += slice) {
    const data = context.subarray(offset, offset + slice);
    const { status } = await request(
      link,
      Api.setContextEx,
      processor,
      contextEx,
      { offset, count: data.length, copied: context.length },
      data,
    );
    if (status !== Status.success) return false;
  }
  return true;
}
