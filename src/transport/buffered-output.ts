import { bufferView } from "../node/fast-buffers.ts";

/** A transport with output in the cork buffer. */
interface Sender {
  /** Sends what was gathered. */
  flush(): void;
}

/** This fits into a usual second-level cache, together with what is copied into it. */
const CORK_BYTES = 262_144;

/** How many former cork buffers slow clients can hold that did not accept everything at once. */
const MAX_RETAINED = 16;

/**
 * Memory in which output is gathered until it leaves. All transports share one piece, because what is written in one turn
 * of the event loop leaves at its end. A message is copied once, into memory that is in the cache, and none is allocated.
 * A separate buffer for each message would cost several times as much, from 1 KiB on.
 */
class CorkBuffer {
  bytes: Buffer = Buffer.allocUnsafeSlow(CORK_BYTES);
  private memory = this.bytes.buffer;
  private top = 0;
  private senders: Sender[] = [];
  private reservations = 0;
  private isRetained = false;
  private retained = 0;
  /** A program fills memory that is still free: nothing is reserved meanwhile. */
  isLocked = false;

  /**
   * Finds room without reserving it.
   * @param end of the reservation to extend; undefined for a new one
   * @returns where the next reservation would begin, or -1 when there is no room
   */
  find(count: number, end: number | undefined): number {
    const isPossible = !this.isLocked && this.top + count <= CORK_BYTES && (end ?? this.top) === this.top;
    return isPossible ? this.top : -1;
  }

  /**
   * Begins a reservation. The sender ends it with {@link endReservation}.
   * @returns where it begins, or -1 when there is no room
   */
  beginReservation(sender: Sender, count: number): number {
    if (this.isLocked) return -1;
    if (this.top + count > CORK_BYTES) this.flushOthers(sender);
    if (this.top + count > CORK_BYTES) return -1;
    this.reservations++;
    this.senders.push(sender);
    const start = this.top;
    this.top += count;
    return start;
  }

  /** Makes the reservation that ends at `end` longer. @returns false if another one follows, or there is no room */
  extendReservation(end: number, count: number): boolean {
    if (this.find(count, end) < 0) return false;
    this.top += count;
    return true;
  }

  /** The bytes of a reservation. */
  part(from: number, to: number): Buffer {
    return bufferView(this.memory, from, to - from);
  }

  /** Call this when a reservation has been sent, or moved elsewhere. */
  endReservation(): void {
    if (--this.reservations > 0) return;
    this.senders = [];
    this.top = 0;
    if (!this.isRetained) return;
    this.bytes = Buffer.allocUnsafeSlow(CORK_BYTES);
    this.memory = this.bytes.buffer;
    this.isRetained = false;
  }

  /** Whether slow clients hold too many former memories, so that reservations must be copied before they are sent. */
  get isCrowded(): boolean {
    return this.retained >= MAX_RETAINED;
  }

  /** Keeps the memory as it is while the system still reads from it. @returns what to call when it has done so */
  retain(): () => void {
    this.isRetained = true;
    this.retained++;
    return this.release;
  }

  private readonly release = (): void => {
    this.retained--;
  };

  private flushOthers(one: Sender): void {
    for (const sender of this.senders) if (sender !== one) sender.flush();
  }
}

export const corkBuffer: CorkBuffer = new CorkBuffer();

/*
 * How the output of one transport is gathered, and what changes that:
 *
 *   form    call                                  next
 *   text    addText                               text      (one string, which leaves in one write)
 *           reserveInCork                         cork      (the text is moved there), or pieces when it is full
 *   cork    reserveInCork                         cork      (one reservation, which leaves in one write)
 *           the same after another transport's    pieces    (moved out of the cork buffer)
 *   any     addPiece                              pieces    (and text behind them)
 *   any     clearGathered                         text      (empty)
 */
type Form = "text" | "cork" | "pieces";

/** Of all transports without pieces. Nothing is added to it. */
const NO_PIECES: Buffer[] = [];

/** So much text is gathered as a string before it moves to the cork buffer. */
const TEXT_BYTES = 2_048;

/**
 * Gathers output until it is handed over. This class decides the form; a subclass decides the time. It is a base class
 * and not a field of transports because of speed: as a field it made a flush of text 1.3 times and a reservation 1.1
 * times as slow.
 */
export abstract class BufferedOutput implements Sender {
  /** The number of written bytes that have not been handed over. */
  protected gathered = 0;
  private form: Form = "text";
  private text = "";
  private reservedFrom = 0;
  private reservedTo = 0;
  private pieces = NO_PIECES;

  /** Hands over what was gathered. */
  abstract flush(): void;

  /** Sends data. @param isInCork whether the bytes lie in the cork buffer, so that data to be kept must be copied */
  protected abstract send(data: string | Uint8Array, isInCork: boolean): void;
  protected abstract sendAll(pieces: readonly Buffer[]): void;

  /** Whether to write added text to a reservation. */
  protected get prefersCork(): boolean {
    return this.form === "cork" || this.gathered > TEXT_BYTES;
  }

  /** Whether {@link reserveInCork} can have room. */
  protected get canReserve(): boolean {
    return this.form !== "pieces";
  }

  /** @param text latin1 */
  protected addText(text: string): void {
    this.moveOutOfCork();
    this.text += text;
    if (this.form === "pieces" && this.text.length > TEXT_BYTES) this.sealText();
    this.gathered += text.length;
  }

  /** Adds bytes by reference. */
  protected addPiece(bytes: Buffer): void {
    this.moveOutOfCork();
    this.form = "pieces";
    if (this.text !== "") this.sealText();
    this.keep(bytes);
    this.gathered += bytes.length;
  }

  /**
   * Makes room in the cork buffer after the written data. The caller fills it at once.
   * @returns the position of the room, or -1 if there is none
   */
  protected reserveInCork(count: number): number {
    if (this.form !== "cork") return this.beginReservation(count);
    const at = this.reservedTo;
    if (!corkBuffer.extendReservation(at, count)) {
      this.moveOutOfCork();
      return -1;
    }
    this.reservedTo = at + count;
    this.gathered += count;
    return at;
  }

  /** @returns where {@link reserveInCork} would make room, or -1 */
  protected findInCork(count: number): number {
    if (this.form === "cork") return corkBuffer.find(count, this.reservedTo);
    if (this.form === "pieces") return -1;
    const start = corkBuffer.find(this.text.length + count, undefined);
    return start < 0 ? start : start + this.text.length;
  }

  /** Passes on everything that was gathered, which stays here until {@link clearGathered}. */
  protected sendGathered(): void {
    const { form } = this;
    if (form === "text") this.send(this.text, false);
    else if (form === "cork") this.send(corkBuffer.part(this.reservedFrom, this.reservedTo), true);
    else this.sendPieces();
  }

  protected clearGathered(): void {
    const { form } = this;
    this.form = "text";
    this.gathered = 0;
    this.text = "";
    if (form === "cork") corkBuffer.endReservation();
    else if (form === "pieces") this.pieces = NO_PIECES;
  }

  private keep(piece: Buffer): void {
    if (this.pieces === NO_PIECES) this.pieces = [piece];
    else this.pieces.push(piece);
  }

  private sendPieces(): void {
    const { pieces } = this;
    if (pieces.length === 0) {
      this.send(this.text, false);
      return;
    }
    if (this.text !== "") this.sealText();
    const only = pieces.length === 1 ? pieces[0] : undefined;
    if (only !== undefined) this.send(only, false);
    else this.sendAll(pieces);
  }

  /** Turns text into a piece. Text joined from many strings uses several times its length. */
  private sealText(): void {
    this.keep(Buffer.from(this.text, "latin1"));
    this.text = "";
  }

  private beginReservation(count: number): number {
    const { text } = this;
    const start = corkBuffer.beginReservation(this, text.length + count);
    if (start < 0) {
      this.form = "pieces";
      return start;
    }
    this.form = "cork";
    if (text !== "") corkBuffer.bytes.write(text, start, "latin1");
    this.text = "";
    this.reservedFrom = start;
    this.reservedTo = start + text.length + count;
    this.gathered += count;
    return start + text.length;
  }

  /** Ends the use of the reservation: from now on text and pieces are gathered. */
  private moveOutOfCork(): void {
    if (this.form !== "cork") return;
    this.text = corkBuffer.bytes.toString("latin1", this.reservedFrom, this.reservedTo);
    corkBuffer.endReservation();
    this.form = "pieces";
  }
}
