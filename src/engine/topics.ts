/** Who subscribes to what: names of topics and, for each, its subscribers in the order of subscription. */
export class Topics<Subscriber> {
  private readonly members = new Map<string, Set<Subscriber>>();

  add(topic: string, subscriber: Subscriber): void {
    let members = this.members.get(topic);
    if (members === undefined) {
      members = new Set();
      this.members.set(topic, members);
    }
    members.add(subscriber);
  }

  /** An empty topic is forgotten. */
  remove(topic: string, subscriber: Subscriber): void {
    const members = this.members.get(topic);
    if (members?.delete(subscriber) && members.size === 0) this.members.delete(topic);
  }

  /** The subscribers of a topic; to be read, not changed. */
  of(topic: string): ReadonlySet<Subscriber> | undefined {
    return this.members.get(topic);
  }
}
