import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type State, stateMachine } from "../../src/trace/state-machine.ts";

const transitions = {
  open: { closeSent: "closing", lost: "closed" },
  closing: { lost: "closed" },
  closed: {},
} as const;
const states = stateMachine(transitions);

describe("states made of a table of transitions", () => {
  it("lead to the state that the table names", () => {
    let state: State<typeof transitions> = states.open;
    state = state.closeSent;
    assert.equal(state, states.closing);
    assert.equal(state.name, "closing");
    assert.equal(state.lost, states.closed);
  });

  it("stay as they are at an event that they do not list", () => {
    assert.equal(states.closed.closeSent, states.closed);
    assert.equal(states.closed.lost, states.closed);
    assert.equal(states.closing.closeSent, states.closing);
  });

  it("have the same properties in the same order, so that reading one is a load from a known place", () => {
    const [keys, ...others] = Object.values(states).map((state) => Object.keys(state).join());
    for (const other of others) assert.equal(other, keys);
  });

  it("cannot lead to a state that the table does not have", () => {
    assert.throws(() => stateMachine({ a: { go: "b" } }), /a\.go leads to b/);
  });
});
