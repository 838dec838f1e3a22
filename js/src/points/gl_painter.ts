import { type Device, ensureSize, program, release } from "./device";
import { GlBuffers } from "./gl_buffers";
import { DIMMED, type Frame, type Painter, TOP_ALPHA, thinned } from "./painter";
import type { Scene } from "./scene";
import { DISC, RINGED, source, VERTEX } from "./shaders";

interface Pass {
  readonly frame: Frame;
  readonly scene: Scene;
  readonly fragment: string;
  readonly rows: Uint32Array | null;
  readonly alpha: number;
  /** factor for rows that are not selected */
  readonly fade: number;
  /** CSS pixels */
  readonly sprite: number;
}

/** Draws a scene with the page's WebGL context, then copies the picture to the view's canvas. */
export class GlPainter implements Painter {
  private buffers: GlBuffers;
  private generation: number;

  constructor(private readonly device: Device) {
    this.buffers = new GlBuffers(device.gl);
    this.generation = device.generation;
  }

  paint(scene: Scene, frame: Frame, target: CanvasRenderingContext2D): boolean {
    const { device } = this;
    if (device.gl.isContextLost()) return false;
    this.renew(scene);
    const width = Math.round(frame.width * frame.dpr);
    const height = Math.round(frame.height * frame.dpr);
    ensureSize(device, width, height);
    this.buffers.update(scene, scene.take());
    this.clear(width, height);
    this.drawAll(scene, frame);
    device.gl.bindVertexArray(null);
    copy(device.canvas, target, width, height);
    return true;
  }

  private renew(scene: Scene): void {
    if (this.generation === this.device.generation) return;
    this.generation = this.device.generation;
    this.buffers = new GlBuffers(this.device.gl);
    scene.touch();
  }

  private clear(width: number, height: number): void {
    const { gl } = this.device;
    gl.viewport(0, 0, width, height);
    gl.enable(gl.SCISSOR_TEST);
    gl.scissor(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  private drawAll(scene: Scene, frame: Frame): void {
    const { size, alpha, selected, flagged, ring } = frame;
    const disc = { frame, scene, fragment: DISC, sprite: size + 1 / frame.dpr };
    const ringed = { frame, scene, fragment: RINGED, sprite: 2 * ring.radius + 1 };
    this.draw({ ...disc, rows: null, alpha: thinned(alpha, frame.every), fade: frame.fade });
    if (frame.fade < 1)
      this.draw({ ...disc, rows: selected, alpha: Math.max(alpha, TOP_ALPHA), fade: 1 });
    this.draw({
      ...ringed,
      rows: flagged,
      alpha: Math.max(alpha, ring.alpha),
      fade: Math.sqrt(frame.fade),
    });
  }

  private draw(pass: Pass): void {
    const { gl } = this.device;
    const { frame, scene, rows } = pass;
    const count = rows ? rows.length : Math.ceil(scene.rows / frame.every);
    if (count === 0) return;
    const morph = scene.from !== null && frame.settled < 1;
    this.use(pass, morph);
    this.buffers.bind(rows ? 1 : frame.every, morph);
    if (!rows) {
      gl.drawArrays(gl.POINTS, 0, count);
      return;
    }
    this.buffers.bindList(rows);
    gl.drawElements(gl.POINTS, count, gl.UNSIGNED_INT, 0);
  }

  private use(pass: Pass, morph: boolean): void {
    const { gl } = this.device;
    const { frame, scene } = pass;
    const variant = morph ? "MORPH" : "";
    const made = program(this.device, source(variant, VERTEX), source("", pass.fragment));
    gl.useProgram(made);
    const at = (name: string) => gl.getUniformLocation(made, name);
    gl.uniform4fv(at("u_view"), clipOf(frame));
    gl.uniform1f(at("u_size"), frame.size * frame.dpr);
    gl.uniform1f(at("u_sprite"), pass.sprite * frame.dpr);
    gl.uniform1f(at("u_alpha"), pass.alpha);
    gl.uniform1f(at("u_dim"), DIMMED);
    gl.uniform1f(at("u_fade"), pass.fade);
    gl.uniform1ui(at("u_only"), frame.only);
    gl.uniform1ui(at("u_last"), scene.palette.length / 4 - 1);
    gl.uniform1f(at("u_settled"), frame.settled);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.buffers.palette);
    if (pass.fragment === RINGED) useRing(gl, at, frame);
  }

  dispose(): void {
    if (this.generation === this.device.generation) this.buffers.dispose();
    release(this.device);
  }
}

function useRing(
  gl: WebGL2RenderingContext,
  at: (name: string) => WebGLUniformLocation | null,
  { ring, dpr, alpha }: Frame,
): void {
  const half = (ring.line / 2) * dpr;
  gl.uniform3f(at("u_ring"), ring.color[0] / 255, ring.color[1] / 255, ring.color[2] / 255);
  gl.uniform2f(at("u_edge"), ring.radius * dpr - half, half);
  gl.uniform1f(at("u_ring_alpha"), ring.alpha / Math.max(alpha, ring.alpha));
}

/** Scale and shift from the unit square to clip space. */
function clipOf({ view, width, height }: Frame): [number, number, number, number] {
  return [
    (2 * view.kx) / width,
    (2 * view.ky) / height,
    (2 * view.tx) / width - 1,
    1 - (2 * view.ty) / height,
  ];
}

function copy(
  from: HTMLCanvasElement,
  target: CanvasRenderingContext2D,
  width: number,
  height: number,
): void {
  target.setTransform(1, 0, 0, 1, 0, 0);
  target.globalCompositeOperation = "copy";
  target.drawImage(from, 0, from.height - height, width, height, 0, 0, width, height);
  target.globalCompositeOperation = "source-over";
}
