/** Callers that wait for the same thing. */
export class Waiters {
  private resolvers: ((value: boolean) => void)[] = [];

  /** Resolves with what {@link release} is called with next. */
  wait(): Promise<boolean> {
    return new Promise((resolve) => {
      this.resolvers.push(resolve);
    });
  }

  release(value: boolean): void {
    const { resolvers } = this;
    this.resolvers = [];
    for (const resolve of resolvers) resolve(value);
  }
}
