import { HIDDEN, SELECTED } from "./scene";

const HEAD = `#version 300 es
precision highp float;
precision highp int;`;

/** `MORPH` adds the positions that points come from while a projection settles. */
export const VERTEX = `
in vec2 a_xy;
#ifdef MORPH
in vec2 a_from;
uniform float u_settled;
#endif
in uint a_code;
in uint a_state;
uniform vec4 u_view;
uniform float u_size;
uniform float u_sprite;
uniform float u_alpha;
uniform float u_dim;
uniform float u_fade;
uniform uint u_only;
uniform uint u_last;
uniform sampler2D u_palette;
flat out vec4 v_color;
void main() {
  if ((a_state & ${HIDDEN}u) != 0u) {
    gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
    gl_PointSize = 0.0;
    return;
  }
#ifdef MORPH
  vec2 at = mix(a_from, a_xy, u_settled);
#else
  vec2 at = a_xy;
#endif
  uint code = min(a_code, u_last);
  vec4 color = texelFetch(u_palette, ivec2(int(code & 255u), int(code >> 8)), 0);
  float alpha = color.a * u_alpha;
  if ((a_state & ${SELECTED}u) == 0u) alpha *= u_fade;
  if ((a_state & u_only) != u_only) alpha *= u_dim;
  v_color = vec4(color.rgb * alpha, alpha);
  gl_Position = vec4(at * u_view.xy + u_view.zw, 0.0, 1.0);
  gl_PointSize = u_sprite;
}`;

export const DISC = `
flat in vec4 v_color;
uniform float u_size;
uniform float u_sprite;
out vec4 color;
void main() {
  float d = length(gl_PointCoord - 0.5) * u_sprite;
  color = v_color * clamp(u_size * 0.5 - d + 0.5, 0.0, 1.0);
}`;

export const RINGED = `
flat in vec4 v_color;
uniform float u_size;
uniform float u_sprite;
uniform vec3 u_ring;
uniform vec2 u_edge;
uniform float u_ring_alpha;
out vec4 color;
void main() {
  float d = length(gl_PointCoord - 0.5) * u_sprite;
  float disc = clamp(u_size * 0.5 - d + 0.5, 0.0, 1.0);
  float line = clamp(u_edge.y - abs(d - u_edge.x) + 0.5, 0.0, 1.0) * u_ring_alpha * v_color.a;
  vec4 fill = v_color * disc;
  color = vec4(u_ring * line, line) + fill * (1.0 - line);
}`;

export type Variant = "" | "MORPH";

export function source(variant: Variant, body: string): string {
  return variant === "" ? HEAD + body : `${HEAD}\n#define ${variant}${body}`;
}
