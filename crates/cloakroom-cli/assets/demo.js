// What the demo does with JavaScript: twenty requests at once, and the slow request on its own
// page. Without it everything else works as it is.
"use strict";

const post = (path, fields) =>
  fetch(path, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" });

const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

// Exchanges the named parts of this page for what the server says now.
async function refresh(path, names) {
  const text = await (await fetch(path)).text();
  const fresh = new DOMParser().parseFromString(text, "text/html");
  for (const name of names) {
    const here = document.querySelector(`[data-swap="${name}"]`);
    const there = fresh.querySelector(`[data-swap="${name}"]`);
    if (here && there) here.replaceWith(document.adoptNode(there));
  }
  reveal();
}

async function sendParallel(button) {
  const section = button.closest("[data-run]");
  const status = section.querySelector("[data-parallel-status]");
  const size = Number(section.dataset.run);
  const run = Date.now().toString(36);
  button.disabled = true;
  status.textContent = `${size} requests are under way.`;
  for (const tag of section.querySelectorAll(".tags li")) tag.className = "";
  const numbers = Array.from({ length: size }, (_, at) => at + 1);
  const sent = numbers.map((number) => post("/cart/parallel", { run, number }));
  const answers = await Promise.allSettled(sent);
  const refused = answers.filter((answer) => answer.value?.status !== 204).length;
  await refresh("/", ["who", "cart", "parallel", "ticket"]);
  if (refused > 0) {
    document.querySelector("[data-parallel-status]").textContent =
      `${refused} of ${size} requests were not accepted.`;
  }
  document.querySelector("[data-parallel]")?.focus();
}

async function signOutMeanwhile(button) {
  const section = button.closest("[data-live]");
  const step = (name, state) => {
    section.querySelector(`[data-step="${name}"]`).dataset.state = state;
  };
  const say = (text) => {
    section.querySelector("[data-slow-status]").textContent = text;
  };
  button.disabled = true;
  step("sent", "busy");
  say("The slow request is under way.");
  const slow = post("/slow", { seconds: 2 });
  await wait(800);
  step("sent", "done");
  step("out", "busy");
  await post("/sign-out", {});
  await wait(400);
  step("out", "done");
  step("late", "busy");
  say("Signed out. The slow request does not know it yet.");
  const refused = (await slow).status === 409;
  section.querySelector("[data-verdict]").textContent = refused ? "Refused." : "It was accepted.";
  step("late", refused ? "refused" : "done");
  await refresh("/slow", ["who", "ticket"]);
  const owner = document.querySelector("[data-owner]")?.textContent;
  section.querySelector("[data-now]").textContent = owner ? `${owner}.` : "Nobody.";
  step("now", "done");
  say("");
  for (const stale of document.querySelectorAll("[data-by-hand]")) stale.remove();
  button.replaceWith(signInAgain());
  document.querySelector(".again").focus();
}

function signInAgain() {
  const link = document.createElement("a");
  link.href = "/";
  link.className = "button again";
  link.textContent = "Sign in again";
  return link;
}

// Shows what only works with JavaScript.
function reveal() {
  const hidden = document.querySelectorAll("[data-parallel][hidden], [data-live][hidden]");
  for (const element of hidden) element.hidden = false;
}

document.addEventListener("click", (event) => {
  const parallel = event.target.closest("[data-parallel]");
  const slow = event.target.closest("[data-slow]");
  const going = parallel ? sendParallel(parallel) : slow ? signOutMeanwhile(slow) : null;
  going?.catch(() => {
    const status = document.querySelector("[data-parallel-status], [data-slow-status]");
    status.textContent = "The demo does not answer. Is it still running?";
    for (const button of document.querySelectorAll("[data-parallel], [data-slow]")) {
      button.disabled = false;
    }
  });
});

reveal();
