import { acquire } from "./device";
import { GlPainter } from "./gl_painter";
import type { Painter } from "./painter";

/**
 * A painter on the graphics card, or null: without a card the browser runs WebGL on the processor,
 * where it is several times slower than painting there directly.
 */
export function webglPainter(onRestored: () => void): Painter | null {
  const device = acquire();
  if (!device) return null;
  const painter = new GlPainter(device);
  device.restored.add(onRestored);
  return {
    paint: (scene, frame, target) => painter.paint(scene, frame, target),
    dispose: () => {
      device.restored.delete(onRestored);
      painter.dispose();
    },
  };
}
