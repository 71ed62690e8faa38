/** Requests that set the target going or restart it. None has a reply packet. */
import type { KdLink } from './link';
import { Api, sendRequest, union } from './manipulate';

const continueLayout = union({ status: [0, 'u32'] });

/** AMD64's DBGKM_CONTINUE2: status, then AMD64_DBGKD_CONTROL_SET packed to 4. */
const continue2Amd64 = union({
  status: [0, 'u32'],
  traceFlag: [4, 'u32'],
  dr7: [8, 'u64'],
  symbolStart: [16, 'u64'],
  symbolEnd: [24, 'u64'],
});

const nothing = union({});

const DBG_CONTINUE = 0x00010002;
const DBG_EXCEPTION_NOT_HANDLED = 0x80010001;

/** DR7 with no data breakpoint: only the bit that is always one. */
export const idleDr7 = 0x400n;

/** After a notification (load symbols, command string). */
export function continueSimple(link: KdLink, processor: number): Promise<void> {
  return sendRequest(link, Api.continue, processor, continueLayout, { status: DBG_CONTINUE });
}

export interface Continue2 {
  readonly step: boolean;
  readonly handled: boolean;
  /** Copied to every processor by the target. */
  readonly dr7: bigint;
}

/** After an exception, AMD64. */
export function continueException(link: KdLink, processor: number, options: Continue2): Promise<void> {
  return sendRequest(link, Api.continue2, processor, continue2Amd64, {
    status: options.handled ? DBG_CONTINUE : DBG_EXCEPTION_NOT_HANDLED,
    traceFlag: options.step ? 1 : 0,
    dr7: options.dr7,
    // 1 leaves the target's own trace range alone.
    symbolStart: 1n,
  });
}

/** Makes `processor` the one that serves requests; it answers with a new state change. */
export function switchProcessor(link: KdLink, processor: number): Promise<void> {
  return sendRequest(link, Api.switchProcessor, processor, nothing, {});
}

export function reboot(link: KdLink): Promise<void> {
  return sendRequest(link, Api.reboot, 0, nothing, {});
}

/** Bugcheck 0xE2 (MANUALLY_INITIATED_CRASH). */
export function causeBugCheck(link: KdLink, processor: number): Promise<void> {
  return sendRequest(link, Api.causeBugCheck, processor, nothing, {});
}
