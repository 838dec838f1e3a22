import type { Range } from "./ranges";
import type { Changes, Scene } from "./scene";

/** Attribute places, as bound when programs are linked. */
export const XY = 0;
export const CODE = 1;
export const STATE = 2;
export const FROM = 3;

const TEXELS = 256;

/** The GPU's copy of one scene; small arrays are patched, geometry is sent once. */
export class GlBuffers {
  readonly vertices: WebGLVertexArrayObject;
  readonly palette: WebGLTexture;
  private readonly xy: WebGLBuffer;
  private readonly from: WebGLBuffer;
  private readonly codes: WebGLBuffer;
  private readonly states: WebGLBuffer;
  private readonly lists = new Map<Uint32Array, WebGLBuffer>();
  private rows = -1;
  private sentFrom: Uint16Array | null = null;

  constructor(private readonly gl: WebGL2RenderingContext) {
    this.vertices = gl.createVertexArray();
    this.palette = gl.createTexture();
    [this.xy, this.from, this.codes, this.states] = [0, 1, 2, 3].map(() => gl.createBuffer()) as [
      WebGLBuffer,
      WebGLBuffer,
      WebGLBuffer,
      WebGLBuffer,
    ];
  }

  update(scene: Scene, changes: Changes): void {
    const resized = scene.rows !== this.rows;
    if (changes.geometry || resized) this.fill(this.xy, scene.xy);
    if (resized) this.fill(this.codes, scene.codes);
    else this.patch(this.codes, scene.codes, changes.codes);
    if (resized) this.fill(this.states, scene.states);
    else this.patch(this.states, scene.states, changes.states);
    if (changes.palette) this.paint(scene.palette);
    if (scene.from && scene.from !== this.sentFrom) this.fill(this.from, scene.from);
    this.sentFrom = scene.from;
    this.rows = scene.rows;
  }

  private fill(buffer: WebGLBuffer, data: Uint8Array | Uint16Array): void {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
  }

  private patch(
    buffer: WebGLBuffer,
    data: Uint8Array | Uint16Array,
    ranges: readonly Range[],
  ): void {
    if (ranges.length === 0) return;
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    for (const [start, stop] of ranges) {
      gl.bufferSubData(gl.ARRAY_BUFFER, start * data.BYTES_PER_ELEMENT, data, start, stop - start);
    }
  }

  private paint(palette: Uint8Array): void {
    const { gl } = this;
    const height = Math.ceil(palette.length / 4 / TEXELS);
    const texels = new Uint8Array(TEXELS * height * 4);
    texels.set(palette);
    gl.bindTexture(gl.TEXTURE_2D, this.palette);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, TEXELS, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, texels);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  }

  /** Point the attributes at every so manieth row. */
  bind(every: number, morph: boolean): void {
    const { gl } = this;
    gl.bindVertexArray(this.vertices);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.xy);
    gl.enableVertexAttribArray(XY);
    gl.vertexAttribPointer(XY, 2, gl.UNSIGNED_SHORT, true, 4 * every, 0);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.codes);
    gl.enableVertexAttribArray(CODE);
    gl.vertexAttribIPointer(CODE, 1, gl.UNSIGNED_SHORT, 2 * every, 0);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.states);
    gl.enableVertexAttribArray(STATE);
    gl.vertexAttribIPointer(STATE, 1, gl.UNSIGNED_BYTE, every, 0);
    if (morph) this.bindFrom(every);
    else gl.disableVertexAttribArray(FROM);
  }

  private bindFrom(every: number): void {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.from);
    gl.enableVertexAttribArray(FROM);
    gl.vertexAttribPointer(FROM, 2, gl.UNSIGNED_SHORT, true, 4 * every, 0);
  }

  /** Bind a list of rows as elements; the two newest lists stay on the GPU. */
  bindList(rows: Uint32Array): void {
    const { gl } = this;
    const known = this.lists.get(rows);
    const buffer = known ?? gl.createBuffer();
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, buffer);
    if (known) return;
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, rows, gl.DYNAMIC_DRAW);
    this.lists.set(rows, buffer);
    for (const old of [...this.lists.keys()].slice(0, -2)) this.forget(old);
  }

  private forget(rows: Uint32Array): void {
    this.gl.deleteBuffer(this.lists.get(rows) ?? null);
    this.lists.delete(rows);
  }

  dispose(): void {
    const { gl } = this;
    for (const buffer of [this.xy, this.from, this.codes, this.states, ...this.lists.values()]) {
      gl.deleteBuffer(buffer);
    }
    gl.deleteVertexArray(this.vertices);
    gl.deleteTexture(this.palette);
  }
}
