const penWidth = 22;
const keyStep = 10;

const moves: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** A canvas to draw on with a pointer or with keys. */
export class Drawing {
  private readonly canvas: HTMLCanvasElement;
  private readonly context: CanvasRenderingContext2D;
  private readonly changed: () => void;
  private at = { x: 0, y: 0 };
  private isDown = false;
  /** The pixels without the mark of the pen that keys move. */
  private ink: ImageData;

  /** @param changed - is called after every stroke */
  constructor(canvas: HTMLCanvasElement, changed: () => void) {
    this.canvas = canvas;
    this.context = canvas.getContext('2d', { willReadFrequently: true })!;
    this.changed = changed;
    Object.assign(this.context, { lineWidth: penWidth, lineCap: 'round', lineJoin: 'round' });
    this.at = { x: this.side / 2, y: this.side / 4 };
    this.ink = this.pixels();
    canvas.addEventListener('pointerdown', (event) => this.press(event));
    canvas.addEventListener('pointermove', (event) => {
      if (canvas.hasPointerCapture(event.pointerId)) this.moveTo(this.placeOf(event), true);
    });
    // Screen readers pass keys on to an application.
    canvas.setAttribute('role', 'application');
    canvas.addEventListener('keydown', (event) => this.key(event));
    canvas.addEventListener('blur', () => this.context.putImageData(this.ink, 0, 0));
  }

  /** The length of a side in pixels. */
  get side(): number {
    return this.canvas.width;
  }

  /** From 0 for paper to 1, line by line. */
  values(): Float32Array {
    return Float32Array.from({ length: this.side ** 2 }, (_, i) => this.ink.data[4 * i + 3]! / 255);
  }

  clear(): void {
    this.context.clearRect(0, 0, this.side, this.side);
    this.at = { x: this.side / 2, y: this.side / 4 };
    this.isDown = false;
    this.ink = this.pixels();
    this.changed();
  }

  private pixels(): ImageData {
    return this.context.getImageData(0, 0, this.canvas.width, this.canvas.height);
  }

  private press(event: PointerEvent): void {
    this.canvas.setPointerCapture(event.pointerId);
    this.at = this.placeOf(event);
    this.moveTo(this.at, true);
  }

  private placeOf({ offsetX, offsetY }: PointerEvent) {
    const scale = this.side / this.canvas.clientWidth;
    return { x: offsetX * scale, y: offsetY * scale };
  }

  private moveTo(place: { readonly x: number; readonly y: number }, draws: boolean): void {
    this.context.putImageData(this.ink, 0, 0);
    if (draws) {
      this.context.beginPath();
      this.context.moveTo(this.at.x, this.at.y);
      // A line without any length draws no dot.
      this.context.lineTo(place.x + 0.01, place.y);
      this.context.stroke();
      this.ink = this.pixels();
    }
    this.at = { ...place };
    if (draws) this.changed();
  }

  private key(event: KeyboardEvent): void {
    const move = moves[event.key];
    if (move !== undefined) {
      const inside = (value: number): number => Math.min(Math.max(value, 0), this.side);
      this.moveTo(
        { x: inside(this.at.x + keyStep * move[0]), y: inside(this.at.y + keyStep * move[1]) },
        this.isDown,
      );
    } else if (event.key === ' ') {
      this.isDown = !this.isDown;
      this.moveTo(this.at, this.isDown);
    } else if (event.key === 'Escape') {
      this.clear();
    } else {
      return;
    }
    event.preventDefault();
    this.markPen();
  }

  /** Shows where the pen is: a ring, which is filled when the pen is down. It is no ink. */
  private markPen(): void {
    this.context.save();
    Object.assign(this.context, { lineWidth: 3, strokeStyle: '#e8743b', fillStyle: '#e8743b' });
    this.context.beginPath();
    this.context.arc(this.at.x, this.at.y, penWidth / 2, 0, 2 * Math.PI);
    this.context.stroke();
    if (this.isDown) this.context.fill();
    this.context.restore();
  }
}
