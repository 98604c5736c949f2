import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { suiteBrowser } from "../support/browser.ts";
import { freePort } from "../support/places.ts";
import { absent, chromium } from "../support/tools.ts";
import { ask, patiently } from "./clients.ts";
import { runProgram } from "./harness.ts";

const CHAT = `<!doctype html><title>Chat</title>
<form><input name="text"><button disabled>Say</button></form><ul></ul>
<script>
  const socket = new WebSocket("ws://" + location.hostname + ":CHAT_PORT/", "chat");
  const form = document.forms[0];
  socket.onopen = () => { form.elements[1].disabled = false; document.title = socket.protocol; };
  socket.onmessage = ({ data }) => {
    const item = document.createElement("li");
    item.textContent = data;
    document.querySelector("ul").append(item);
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    socket.send(form.elements.text.value);
    form.reset();
  };
</script>`;
const SITE = {
  "site/index.html": `<!doctype html><title>Site</title><link rel="stylesheet" href="/style.css"><p>Grüße</p><a href="/sub/">more</a>`,
  "site/style.css": "p { color: rgb(1, 2, 3) }",
  "site/sub/index.html": "<!doctype html><title>Sub</title><h1>More</h1>",
};

describe("Lua programs in a real browser", { skip: absent(chromium, "chromium") }, () => {
  const visit = suiteBrowser();

  for (const flavour of ["evo", "craftos"]) {
    it(`a chat with the subprotocol "chat" works on ${flavour}`, async (t) => {
      const program = await runProgram(t, `${flavour}/browser-chat`, [], { "chat.html": CHAT });
      const url = `http://127.0.0.1:${await program.port()}/`;
      const [one, two] = [await visit(url), await visit(url)];
      // The button can be pressed once the WebSocket is open.
      await two.locator("button:enabled").waitFor();
      for (const text of ["hello", "<b>ü</b> 🐢"]) {
        await one.fill("input", text);
        await one.click("button");
        await two.locator("li", { hasText: text }).waitFor();
      }
      assert.equal(await one.title(), "chat");
      assert.deepEqual(await two.locator("li").allTextContents(), ["hello", "<b>ü</b> 🐢"]);
      await two.close();
      await one.fill("input", "alone");
      await one.click("button");
      await one.locator("li", { hasText: "alone" }).waitFor();
      await one.close();
    });

    it(`a static site works on ${flavour}`, async (t) => {
      const port = await freePort();
      await runProgram(t, `${flavour}/static-site`, [`${port}`, "site"], SITE);
      await patiently(ask, port, "/");
      const page = await visit(`http://127.0.0.1:${port}/`);
      assert.equal(await page.title(), "Site");
      const colour = await page.evaluate("getComputedStyle(document.querySelector('p')).color");
      assert.equal(colour, "rgb(1, 2, 3)");
      await page.click("a");
      await page.locator("h1").waitFor();
      assert.equal(await page.title(), "Sub");
      await page.close();
    });
  }

  it("a form works on evo", async (t) => {
    const program = await runProgram(t, "evo/form-post", ["0"]);
    const page = await visit(`http://127.0.0.1:${await program.port()}/`);
    await page.fill("input", "Ä & B");
    await page.click("button");
    assert.equal(await page.locator("p").textContent(), "Hello, Ä & B!");
    await page.close();
  });
});
