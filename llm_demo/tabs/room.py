"""Room: a class that answers together, seen by its instructor and by its students, on top of the page."""

import gradio as gr

from llm_demo.i18n import Translate
from llm_demo.quiz.quiz import Quiz
from llm_demo.rooms import Rooms
from llm_demo.tabs import host, pupil
from llm_demo.tabs.host import Host
from llm_demo.tabs.site import Site

# A window remembers its ticket and who it is as long as it is open: a page loaded again goes on where it was.
RECALL = """(language) => {
  const fresh = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16)).join('');
  const kept = (name, value) => {
    try {
      sessionStorage.setItem(name, sessionStorage.getItem(name) || value);
      return sessionStorage.getItem(name);
    } catch { return value; }  // a browser that keeps nothing
  };
  const room = new URLSearchParams(location.search).get('room') || '';
  const base = location.origin + location.pathname;
  return [language, kept('llm-demo-ticket', ''), base, room, kept('llm-demo-pupil', fresh)];
}"""
REMEMBER = "(ticket) => { try { sessionStorage.setItem('llm-demo-ticket', ticket); } catch { /* it keeps nothing */ } }"


def build(site: Site, quiz: Quiz, rooms: Rooms) -> Host:
    """Add both panels, invisible until there is a room; tabs ask the class through what is returned."""
    # Hidden boxes hold what the browser knows: the server keeps no more of anybody than the rooms themselves.
    ticket, base, code, name = (gr.Textbox(visible="hidden", elem_id=f"room-{part}") for part in PARTS)
    instructor = host.build(site, quiz, rooms, ticket, base)
    student = pupil.build(site, rooms, code, name)

    def begin(t: Translate, request: gr.Request, ticket: str, base: str, code: str, name: str) -> list[object]:
        drawn = instructor.drawn(t, ticket, base) if ticket else instructor.away()
        return [base, code, name, *drawn, *student.drawn(t, code, name or request.session_hash)]

    browser = [ticket, base, code, name]
    site.on_open(begin, browser, [base, code, name, *instructor.outputs, *student.outputs], js=RECALL)
    ticket.change(None, [ticket], None, js=REMEMBER, api_visibility="private")
    return instructor


PARTS = ("ticket", "base", "code", "name")
