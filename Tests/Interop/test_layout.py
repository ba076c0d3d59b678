"""Lines between panes and forms of plots: what is remembered where, in the real program."""
import json
import time

import yaml
from conftest import lathe
from test_workbench import SAMPLE, Screen


def edge(screen):
    """The column where the frame of the first pane ends."""
    return screen.screen.display[1].index("┓")


def wait_for_edge(screen, column):
    """However busy the machine is."""
    end = time.perf_counter() + 20
    while edge(screen) != column and time.perf_counter() < end:
        screen.pump(0.05)
    assert edge(screen) == column, screen.text()


def opened(tmp_path, **arguments):
    screen = Screen(
        *SAMPLE, "--session", "none", XDG_STATE_HOME=str(tmp_path / "state"),
        XDG_CONFIG_HOME=str(tmp_path / "config"), **arguments)
    screen.wait_for("stem")
    screen.settle()
    return screen


def left(screen):
    screen.send("q")
    assert screen.end() == 0


def test_lines_between_panes_are_remembered_beside_sessions(tmp_path):
    kept = tmp_path / "state/lathe/layout.json"
    screen = opened(tmp_path)
    usual = edge(screen)
    screen.send(">>>")
    wait_for_edge(screen, usual + 6)
    left(screen)
    assert json.loads(kept.read_text()).keys() == {"columns"}
    assert not (tmp_path / "config").exists(), "view state is no configuration"
    screen = opened(tmp_path)
    wait_for_edge(screen, usual + 6)
    screen.send("=")
    wait_for_edge(screen, usual)
    left(screen)
    assert json.loads(kept.read_text()) == {}


def test_a_line_is_dragged_with_the_mouse(tmp_path):
    screen = opened(tmp_path)
    usual = edge(screen)
    screen.send(f"\x1b[<0;{usual + 1};6M\x1b[<32;{usual + 5};7M\x1b[<32;{usual + 9};8M\x1b[<0;{usual + 9};8m")
    wait_for_edge(screen, usual + 8)
    left(screen)
    assert (tmp_path / "state/lathe/layout.json").exists()


def test_what_was_kept_and_cannot_be_read_is_forgotten(tmp_path):
    kept = tmp_path / "state/lathe/layout.json"
    kept.parent.mkdir(parents=True)
    screen = opened(tmp_path)
    usual = edge(screen)
    left(screen)
    for rubbish in ["", "[1, 2]", '{"columns": 1e999}', '{"columns": 17, "x": 0.5}', "\0" * 5000]:
        kept.write_text(rubbish)
        screen = opened(tmp_path)
        wait_for_edge(screen, usual)
        left(screen)


def braille(text):
    return any("\u2801" <= character <= "\u28ff" for character in text)


def test_the_configuration_chooses_the_form_of_plots(tmp_path):
    config = tmp_path / "config/lathe/config.yaml"
    config.parent.mkdir(parents=True)
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "LANG": "C.UTF-8", "PATH": "/usr/bin"}

    def frame(form):
        if form:
            config.write_text(yaml.safe_dump({"graph": form}))
        return lathe(
            *SAMPLE, "--session", "none", "--snapshot", "120x36", "--keys", "5 + +", env=environment).stdout

    assert not braille(frame(None)) and "█" in frame(None)
    assert braille(frame("braille"))
    assert "█" in frame("block")
    plain = frame("ascii")
    assert not braille(plain) and "█" not in plain and "#" in plain
    config.write_text("graph: dots\n")
    screen = opened(tmp_path)
    screen.send("7++")
    screen.wait_for(r"is no[\s┃]+form of graphs")
    left(screen)


def test_what_calibration_saw_is_shown_without_measuring():
    shown = lathe(
        *SAMPLE, "--session", "none", "--snapshot", "120x36", "--keys", "5 + + w s wait").stdout
    assert "values" in shown and "seen" in shown and "levels" in shown
    after = lathe(
        *SAMPLE, "--session", "none", "--snapshot", "120x36", "--keys", "5 + + w w s wait").stdout
    assert "values" in after and after != shown
    compared = lathe(*SAMPLE, "--session", "none", "--snapshot", "120x36", "--keys", "5 s wait").stdout
    assert "r runs it" in compared
