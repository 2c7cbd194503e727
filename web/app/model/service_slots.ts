// Colours for services: a slot of the palette by the hash of the name, so that a service looks the same
// in every trace; a taken slot moves on to the next free one while there are any.

export const SLOT_COUNT = 12;

function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value ^= value >>> 15;
  return value >>> 0;
}

export function assignSlots(services: Iterable<string>): Map<string, number> {
  const slots = new Map<string, number>();
  const taken = new Set<number>();
  for (const service of [...new Set(services)].sort()) {
    let slot = hash(service) % SLOT_COUNT;
    for (let i = 0; i < SLOT_COUNT && taken.has(slot) && taken.size < SLOT_COUNT; i++) slot = (slot + 5) % SLOT_COUNT;
    taken.add(slot);
    slots.set(service, slot);
  }
  return slots;
}
