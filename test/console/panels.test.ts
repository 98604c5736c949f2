import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { startPanels } from "../../src/console/panels.ts";
import type { Line, Panel } from "../../src/console/program.ts";

import { Changes } from "../support/changes.ts";

/** A page that says something to a program and waits for what it answers. */
class Talk {
  private readonly answers: string[] = [];
  private readonly changes = new Changes();
  private line: Line | undefined;

  async open(panel: Panel): Promise<this> {
    this.line = await panel.open((text) => {
      this.answers.push(text);
      this.changes.tell();
    });
    return this;
  }

  say(text: string): this {
    this.line?.say(text);
    return this;
  }

  answer(pattern: RegExp): Promise<string> {
    const look = (): string | undefined => this.answers.find((text) => pattern.test(text));
    return this.changes.find(look, `an answer like ${pattern}`, 2_000);
  }

  close(): void {
    this.line?.close();
  }
}

describe("the programs beside the console", () => {
  let panels: Map<string, Panel>;
  const talks: Talk[] = [];

  async function talk(name: string): Promise<Talk> {
    const panel = panels.get(name);
    assert.ok(panel);
    const opened = await new Talk().open(panel);
    talks.push(opened);
    return opened;
  }

  before(async () => {
    panels = new Map((await startPanels()).map((panel) => [panel.info.name, panel]));
  });
  after(async () => {
    for (const open of talks) open.close();
    for (const panel of panels.values()) await panel.stop();
  });

  it("listen on loopback, and show the file that runs", () => {
    assert.deepEqual([...panels.keys()], ["evo", "craftos", "daslang", "facil"]);
    for (const { info } of panels.values()) {
      assert.match(info.address, /^(?:ws|http|tcp):\/\/127\.0\.0\.1:\d+\/?$/);
      assert.equal(info.source, readFileSync(new URL(`../../${info.file}`, import.meta.url), "utf8"));
      assert.match(info.source, new RegExp(`from "portico/${info.name}";`));
    }
  });

  it("evo: a player moves where it is told to", async () => {
    const [one, two] = [await talk("evo"), await talk("evo")];
    one.say("right");
    two.say("left");
    const { edge } = JSON.parse(await one.answer(/"places":\[\d+,-\d+\]/));
    assert.equal(edge, 50);
  });

  it("craftos: answers POST and GET", async () => {
    const page = await talk("craftos");
    assert.equal(await page.say("grüß").answer(/line/), "200: line 1, backwards: ßürg");
    assert.match(await page.say("").answer(/up for/), /^200: up for \d+ s, 1 lines so far$/);
  });

  it("daslang: the script is replaced under a connection that all pages share", async () => {
    const [one, two] = [await talk("daslang"), await talk("daslang")];
    one.say("first");
    await two.answer(/^Welcome to version 1\b/);
    await two.answer(/^version 1, line 1: first$/);
    two.say("reload");
    await one.answer(/^now version 2$/);
    await one.say("second").answer(/^version 2, line 2: second$/);
    one.close();
    await two.say("third").answer(/^version 2, line 3: third$/);
    two.close();
    const later = await talk("daslang");
    await later.say("again").answer(/^version 2, line 4: again$/);
  });

  it("facil: what one says goes to the others", async () => {
    const [one, two] = [await talk("facil"), await talk("facil")];
    await two.answer(/^you are connection 2$/);
    one.say("<b>hello</b>");
    await two.answer(/^connection 1 says: <b>hello<\/b>$/);
    await one.answer(/^sent to 1 others$/);
  });
});
