import { acquire, type Device, isSoftware, release } from "./device";
import { GlPainter } from "./gl_painter";
import type { Painter } from "./painter";
import { SoftwarePainter } from "./software_painter";

/**
 * WebGL on a graphics card, else our own painter: without a card the browser runs WebGL on the
 * processor, several times slower than painting there directly.
 */
export function choosePainter(onRestored: () => void): Painter {
  const device = acquire();
  if (!device) return new SoftwarePainter();
  if (isSoftware(device.gl)) {
    release(device);
    return new SoftwarePainter();
  }
  return listening(device, onRestored);
}

function listening(device: Device, onRestored: () => void): Painter {
  const painter = new GlPainter(device);
  device.restored.add(onRestored);
  return {
    kind: painter.kind,
    paint: (scene, frame, target) => painter.paint(scene, frame, target),
    dispose: () => {
      device.restored.delete(onRestored);
      painter.dispose();
    },
  };
}
