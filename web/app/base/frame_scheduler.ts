// One frame at a time: input only records what is wanted, then everything is drawn once per frame.
// Actions (which may change state) run before drawings (which may not).

type Task = () => void;

export class FrameScheduler {
  readonly #actions = new Set<Task>();
  readonly #drawings = new Set<Task>();
  readonly #requestFrame: (run: () => void) => void;
  #pending = false;

  constructor(requestFrame: (run: () => void) => void) {
    this.#requestFrame = requestFrame;
  }

  action(task: Task): void {
    this.#actions.add(task);
    this.#schedule();
  }

  draw(task: Task): void {
    this.#drawings.add(task);
    this.#schedule();
  }

  forget(task: Task): void {
    this.#actions.delete(task);
    this.#drawings.delete(task);
  }

  #schedule(): void {
    if (this.#pending) return;
    this.#pending = true;
    this.#requestFrame(() => this.#run());
  }

  #run(): void {
    const actions = [...this.#actions];
    this.#actions.clear();
    for (const action of actions) action();
    // Drawings requested by the actions above belong to this same frame.
    const drawings = [...this.#drawings];
    this.#drawings.clear();
    this.#pending = false;
    for (const drawing of drawings) drawing();
  }
}

export const frames = new FrameScheduler((run) => requestAnimationFrame(run));
