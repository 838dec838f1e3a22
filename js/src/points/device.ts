/**
 * One WebGL context for all maps of a page. Every widget imports its own copy of this module, so
 * the context hangs on globalThis; browsers drop the oldest beyond about 16.
 */
export interface Device {
  readonly canvas: HTMLCanvasElement;
  readonly gl: WebGL2RenderingContext;
  /** compiled programs by source */
  readonly programs: Map<string, WebGLProgram>;
  /** called when a lost context is back and everything must be uploaded again */
  readonly restored: Set<() => void>;
  users: number;
  /** grows with each restored context; what was made in an earlier one is gone */
  generation: number;
}

const PAGE = Symbol.for("burnish/1");

interface Page {
  /** null once it is known that there can be none */
  points?: Device | null;
}

function page(): Page {
  const world = globalThis as { [PAGE]?: Page };
  world[PAGE] ??= {};
  return world[PAGE];
}

/** The page's device, or null without WebGL 2 on a graphics card. Give it back with `release`. */
export function acquire(): Device | null {
  const shared = page();
  if (shared.points === null) return null;
  shared.points ??= create();
  const device = shared.points;
  if (!device) return null;
  device.users++;
  return device;
}

export function release(device: Device): void {
  device.users--;
  if (device.users > 0) return;
  const shared = page();
  if (shared.points === device) delete shared.points;
  device.gl.getExtension("WEBGL_lose_context")?.loseContext();
}

function create(): Device | null {
  const canvas = document.createElement("canvas");
  const gl = canvas.getContext("webgl2", {
    antialias: false,
    depth: false,
    failIfMajorPerformanceCaveat: true,
    premultipliedAlpha: true,
    powerPreference: "high-performance",
  });
  if (!gl || isSoftware(gl)) return null;
  const device: Device = {
    canvas,
    gl,
    programs: new Map(),
    restored: new Set(),
    users: 0,
    generation: 0,
  };
  canvas.addEventListener("webglcontextlost", (event) => keep(device, event));
  canvas.addEventListener("webglcontextrestored", () => restore(device));
  return device;
}

function keep(device: Device, event: Event): void {
  if (device.users > 0) event.preventDefault();
}

function restore(device: Device): void {
  device.generation++;
  device.programs.clear();
  for (const callback of [...device.restored]) callback();
}

/** Browsers differ in what they call a performance caveat. */
function isSoftware(gl: WebGL2RenderingContext): boolean {
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  const name = info ? String(gl.getParameter(info.UNMASKED_RENDERER_WEBGL)) : "";
  return /swiftshader|llvmpipe|software|basic render/i.test(name);
}

/** Make the drawing buffer at least this large; the picture uses its lower left corner. */
export function ensureSize(device: Device, width: number, height: number): void {
  const { canvas } = device;
  if (canvas.width < width) canvas.width = width;
  if (canvas.height < height) canvas.height = height;
}

export function program(device: Device, vertex: string, fragment: string): WebGLProgram {
  const name = vertex + fragment;
  const known = device.programs.get(name);
  if (known) return known;
  const made = link(device.gl, vertex, fragment);
  device.programs.set(name, made);
  return made;
}

const ATTRIBUTES = ["a_xy", "a_code", "a_state", "a_from"];

function link(gl: WebGL2RenderingContext, vertex: string, fragment: string): WebGLProgram {
  const made = gl.createProgram();
  gl.attachShader(made, compile(gl, gl.VERTEX_SHADER, vertex));
  gl.attachShader(made, compile(gl, gl.FRAGMENT_SHADER, fragment));
  ATTRIBUTES.forEach((name, place) => {
    gl.bindAttribLocation(made, place, name);
  });
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(`the map's shaders do not link: ${gl.getProgramInfoLog(made)}`);
  }
  return made;
}

function compile(gl: WebGL2RenderingContext, kind: number, text: string): WebGLShader {
  const shader = gl.createShader(kind);
  if (!shader) throw new Error("the graphics context is lost");
  gl.shaderSource(shader, text);
  gl.compileShader(shader);
  return shader;
}
