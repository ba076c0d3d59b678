"""The terminal is a guest's: whatever happens to the program, it is left as it was found."""
import os
import re
import signal
import subprocess
import time

import pytest
from conftest import LATHE, SAMPLES
from workbench import SAMPLE, Screen

# A shell that leaves the terminal alone, unlike interactive ones, and stays when the program has ended: were the
# program the first of its session, the system itself would reset the terminal after it.
WATCHED = """stty -g > "$OUT/before"; "$@"; code=$?; stty -g > "$OUT/after"; echo "ended with $code"; read line"""

ENDING = ["HUP", "INT", "TERM"]
FATAL = ["QUIT", "ABRT", "SEGV", "BUS", "FPE", "ILL", "TRAP", "SYS", "ALRM", "USR1", "USR2", "VTALRM", "PROF", "XCPU",
         "POLL", "PWR", "STKFLT", "RTMIN", "RTMAX"]
IGNORED = ["PIPE", "XFSZ"]


def watched(out, *arguments, **options):
    return Screen(
        *arguments, "--session", "none", command=("sh", "-c", "ulimit -c 0; " + WATCHED, "sh", LATHE), OUT=str(out),
        XDG_STATE_HOME=str(out / "state"), SWIFT_BACKTRACE="enable=no", **options)


def children(pid):
    return [int(child) for child in open(f"/proc/{pid}/task/{pid}/children").read().split()]


def settings(out):
    return [(out / name).read_text() for name in ("before", "after")]


@pytest.mark.parametrize("name", ENDING + FATAL)
def test_every_signal_that_ends_it_leaves_the_terminal_as_it_was(name, tmp_path):
    number = getattr(signal, "SIG" + name)
    screen = watched(tmp_path, *SAMPLE)
    screen.wait_for("1 Layers")
    assert {"1049", "1000", "1002", "1006", "2004", "25"} <= screen.modes_left(), "the screen is up"
    [program] = children(screen.process.pid)
    os.kill(program, number)
    screen.wait_for(f"ended with {128 + number}")
    assert screen.modes_left() == set()
    before, after = settings(tmp_path)
    assert before == after
    log = (tmp_path / "state/lathe/log").read_text()
    told = re.search(rb"\x1b\[\?1049l[\s\S]*lathe: ended by (\S+( \d+)?)\. It is noted in (\S+)\.\r\n", screen.raw)
    if name in ENDING:
        assert not told and log == "", "it was asked to end, and did"
    else:
        assert told.group(3).decode() == str(tmp_path / "state/lathe/log")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ lathe [\d.]+ crash: " + told.group(1).decode() + r"\b.*\n", log)
    screen.send("\n")
    screen.end()


@pytest.mark.parametrize("name", IGNORED)
def test_signals_of_failed_writes_do_not_end_it(name, tmp_path):
    screen = watched(tmp_path, *SAMPLE)
    screen.wait_for("1 Layers")
    os.kill(children(screen.process.pid)[0], getattr(signal, "SIG" + name))
    screen.send("?")
    screen.wait_for("type to search")
    screen.send("\x1b")
    screen.settle()
    screen.send("q")
    screen.wait_for("ended with 0")
    assert screen.modes_left() == set() and len(set(settings(tmp_path))) == 1
    screen.send("\n")
    screen.end()


def test_quitting_leaves_the_terminal_as_it_was(tmp_path):
    screen = watched(tmp_path, *SAMPLE)
    screen.wait_for("1 Layers")
    screen.send("q")
    screen.wait_for("ended with 0")
    assert screen.modes_left() == set() and len(set(settings(tmp_path))) == 1
    screen.send("\n")
    screen.end()


# MARK: suspension

def prompt(screen, command):
    """Types a command into a shell and waits for its end."""
    screen.send(command + "; echo do''ne\n")
    screen.wait_for("done")
    screen.send("clear\n")
    screen.settle()


@pytest.mark.parametrize("how", ["key", "TSTP", "STOP"])
def test_suspends_and_comes_back(how, tmp_path):
    screen = Screen(command=("bash", "--norc", "--noprofile", "-i"), PS1="> ", HISTFILE="/dev/null")
    prompt(screen, f"stty -g > {tmp_path}/before")
    screen.send(f"{LATHE} {' '.join(map(str, SAMPLE))} --session none\n")
    screen.wait_for("1 Layers")
    for columns, rows in [(120, 36), (80, 24)]:
        screen.settle()
        if how == "key":
            screen.send("\x1a")
        else:
            os.kill(children(screen.process.pid)[0], getattr(signal, "SIG" + how))
        if how == "STOP":
            # Nobody can be told of this one: the shell comes up on the program's screen.
            time.sleep(0.3)
        else:
            screen.wait_for("Stopped")
            # What is on belongs to the shell: bracketed paste.
            assert screen.modes_left() <= {"2004"}
            prompt(screen, f"stty -g > {tmp_path}/after")
            assert len(set(settings(tmp_path))) == 1
        screen.resize(columns, rows)
        screen.send("fg\n")
        screen.wait_for(r"1 Layers[\s\S]*3 Compare")
        screen.settle()
        assert {"1049", "1006", "2004", "25"} <= screen.modes_left()
        assert "? help" in screen.text().splitlines()[rows - 1], screen.text()
        screen.send("j")
        screen.settle()
    screen.send("q")
    # What is typed before it has gone would be its keys, not the shell's.
    screen.wait_until(lambda: not children(screen.process.pid))
    prompt(screen, f"stty -g > {tmp_path}/after")
    assert len(set(settings(tmp_path))) == 1 and screen.modes_left() <= {"2004"}
    screen.send("exit\n")
    screen.end()


def test_a_shell_that_cannot_stop_it_keeps_it():
    """The first program of a session has nobody to continue it, so ^Z only draws anew."""
    screen = Screen(*SAMPLE, "--session", "none")
    screen.wait_for("1 Layers")
    screen.settle()
    screen.send("\x1a")
    screen.settle()
    screen.send("?")
    screen.wait_for("type to search")
    # A continuation from outside afterwards is not taken for the one that never came.
    os.kill(screen.process.pid, signal.SIGSTOP)
    time.sleep(0.2)
    before = len(screen.raw)
    os.kill(screen.process.pid, signal.SIGCONT)
    screen.settle()
    assert b"\x1b[?1049h" in screen.raw[before:], "the terminal is taken again"
    screen.send("\x1b")
    screen.settle()
    screen.send("q")
    assert screen.end() == 0


# MARK: terminals

@pytest.mark.parametrize("kind, colour", [
    ("xterm-256color", True), ("screen", True), ("tmux-256color", True), ("linux", True), ("vt100", False),
    ("xterm", True), ("foot", True)])
def test_works_on(kind, colour):
    screen = Screen(*SAMPLE, "--session", "none", columns=80, rows=24, TERM=kind)
    screen.wait_for(r"1 Layers[\s\S]*conv")
    screen.send("j\x1b[A\x1bOB?")
    screen.wait_for("type to search")
    screen.send("\x1b")
    screen.settle()
    assert bool(re.search(rb"\x1b\[(\d+;)*[34][0-7](;\d+)*m", screen.raw)) == colour
    screen.send("q")
    assert screen.end() == 0
    assert screen.modes_left() == set()


@pytest.mark.parametrize("kind", ["dumb", "nosuch", ""])
def test_refuses_in_one_line(kind):
    screen = Screen(*SAMPLE, "--session", "none", TERM=kind)
    assert screen.end() == 1
    said = screen.raw.decode()
    assert said.startswith("lathe: terminal: type ") and said.count("\n") == 1 and "\x1b" not in said


def test_no_colour_where_none_is_wanted():
    screen = Screen(*SAMPLE, "--session", "none", NO_COLOR="1")
    screen.wait_for("1 Layers")
    screen.send("3")
    screen.settle()
    screen.send("q")
    assert screen.end() == 0
    assert not re.search(rb"\x1b\[[0-9;]*(3[0-8]|4[0-8]|9[0-7])m", screen.raw)
    assert re.search(rb"\x1b\[[0-9;]*[17]m", screen.raw), "bold and reverse stay"


def test_standard_streams_may_be_pipes():
    """Keys and screen are the terminal's, whatever standard input and output are."""
    screen = Screen(*SAMPLE, "--session", "none", command=("sh", "-c", 'echo | "$@" | cat', "sh", LATHE))
    screen.wait_for("1 Layers")
    screen.send("q")
    assert screen.end() == 0


# MARK: themes

@pytest.mark.parametrize("answer, ground", [
    (b"\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[?62;4c", rb"48;5;23[234]"),
    (b"\x1b]11;rgb:ffff/ffff/ffff\x07\x1b[?62;4c", rb"48;5;(231|255)"), (b"\x1b[?1;2c", None), (None, None)])
def test_the_background_chooses_the_theme(answer, ground):
    screen = Screen(*SAMPLE, "--session", "none")
    while b"\x1b]11;?" not in screen.raw:
        assert screen.pump(5)
    if answer:
        screen.process.write(answer)
    screen.wait_for(r"1 Layers[\s\S]*conv")
    screen.settle()
    screen.send("q")
    assert screen.end() == 0
    grounds = set(re.findall(rb"48;5;\d+", screen.raw))
    assert any(re.fullmatch(ground, found) for found in grounds) if ground else not grounds
    assert screen.modes_left() == set()


def test_themes_of_ones_own(tmp_path):
    folder = tmp_path / "lathe/themes"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text('inherits: dark\nui: {text: ["200 on 17", default], nosuch: red}\n')
    (folder / "broken.yaml").write_text("ui: [")
    (folder / "round.yaml").write_text("inherits: round")
    def run(*arguments):
        return subprocess.run(
            [LATHE, *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL,
            env=os.environ | {"XDG_CONFIG_HOME": str(tmp_path)})
    assert {"terminal", "mine", "broken"} <= set(run("themes").stdout.split())
    screen = Screen(*SAMPLE, "--session", "none", "--theme", "mine", XDG_CONFIG_HOME=str(tmp_path))
    screen.wait_for(r"1 Layers[\s\S]*conv")
    # What is wrong with it is told with its line.
    screen.wait_for("mine.yaml, line 2")
    assert b"38;5;200" in screen.raw and b"48;5;17" in screen.raw and b"]11;?" not in screen.raw
    screen.send("q")
    assert screen.end() == 0
    for name, said in [("broken", "not YAML"), ("round", "inherits itself"), ("nosuch", "no theme of this name")]:
        done = run(*SAMPLE, "--theme", name, "--snapshot", "80x24")
        assert done.returncode == 1 and done.stdout == ""
        assert done.stderr.startswith(f"lathe: {name}.yaml") and said in done.stderr and done.stderr.count("\n") == 1


# MARK: windows

def test_a_storm_of_sizes_ends_in_the_right_frame():
    screen = Screen(*SAMPLE, "--session", "none")
    screen.wait_for(r"1 Layers[\s\S]*conv")
    screen.settle(0.5)
    calm = screen.text()
    for step in range(200):
        screen.process.setwinsize(10 + step * 7 % 60, 20 + step * 13 % 200)
        screen.pump(0)
    screen.process.setwinsize(36, 121)
    screen.settle(0.5)
    screen.resize(120, 36)
    screen.settle(0.5)
    assert screen.text() == calm
    screen.send("q")
    assert screen.end() == 0


@pytest.mark.parametrize("shell", [False, True])
def test_a_window_that_is_closed_ends_it(shell):
    # With the signal that the system sends to the first program, and without it.
    command = ("sh", "-c", "trap '' HUP; \"$@\"; sleep 30", "sh", LATHE) if shell else (LATHE,)
    screen = Screen(*SAMPLE, "--session", "none", command=command)
    screen.wait_for("1 Layers")
    pid = children(screen.process.pid)[0] if shell else screen.process.pid
    os.close(screen.process.fd)
    end = time.perf_counter() + 5
    while os.path.exists(f"/proc/{pid}/stat") and time.perf_counter() < end:
        state = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0]
        if state == "Z":
            break
        time.sleep(0.02)
    else:
        assert time.perf_counter() < end, "it goes on without a window"
    os.kill(screen.process.pid, signal.SIGKILL)
    os.waitpid(screen.process.pid, 0)


# MARK: work

def test_idle_it_is_never_woken():
    screen = Screen(*SAMPLE, "--session", "none")
    screen.wait_for(r"1 Layers[\s\S]*conv")
    screen.settle(1.5)
    before = screen.main_thread()
    time.sleep(5)
    assert screen.main_thread() == before
    screen.send("q")
    assert screen.end() == 0


@pytest.mark.skipif("debug" in LATHE.parts, reason="optimised code only")
@pytest.mark.parametrize("keys, columns, rows, bound", [("jk", 120, 36, 5), ("\x0c", 300, 90, 25)])
def test_a_key_takes_little_work(keys, columns, rows, bound):
    """Milliseconds of processor time for a key, or for the whole screen drawn anew: those do not grow on a busy machine."""
    screen = Screen(*SAMPLE, "--session", "none", columns=columns, rows=rows)
    screen.wait_for(r"1 Layers[\s\S]*conv")
    screen.settle(1)
    before = screen.main_thread()[0]
    for index in range(100):
        screen.send(keys[index % len(keys)])
        screen.settle(0.01)
    spent = (screen.main_thread()[0] - before) / 100 / 1e6
    print(f"{keys!r}: {spent:.2f} ms")
    assert 0 < spent <= bound
    screen.send("q")
    assert screen.end() == 0


# MARK: the log

def test_errors_are_kept_and_the_log_stays_small(tmp_path):
    folder = tmp_path / "lathe"
    folder.mkdir()
    (folder / "log").write_text("old\n" * 70_000)
    (folder / "log.1").write_text("older\n")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"\x08\x07not a model\nat all")
    screen = Screen(broken, "--session", "none", XDG_STATE_HOME=str(tmp_path))
    screen.wait_for("broken.onnx")
    screen.settle(0.5)
    screen.send("q")
    assert screen.end() == 0
    assert (folder / "log.1").read_text().startswith("old\n")
    [line] = (folder / "log").read_text().splitlines()
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ lathe [\d.]+ error: .*broken\.onnx", line)
    paths = subprocess.run([LATHE, "paths"], capture_output=True, text=True, env=os.environ | {"XDG_STATE_HOME": str(tmp_path)})
    assert str(folder / "log") in paths.stdout
    assert oct((folder / "log").stat().st_mode & 0o777) == "0o600"


def test_a_log_that_cannot_be_written_is_no_obstacle(tmp_path):
    (tmp_path / "lathe").write_text("a file where the folder should be")
    screen = watched(tmp_path, *SAMPLE)
    screen.wait_for("1 Layers")
    screen.send("q")
    screen.wait_for("ended with 0")
    screen.send("\n")
    screen.end()


# MARK: a whole piece of work

def test_a_piece_of_work_from_start_to_end(tmp_path):
    """Browse, filter, mark, change, run, compare, undo, theme, resize, export; then the terminal is as before."""
    recipe = tmp_path / "mine.yaml"
    screen = watched(tmp_path, *SAMPLE)
    screen.wait_for(r"1 Layers[\s\S]*conv")
    screen.send("jjG")
    screen.settle()
    screen.send("/conv\r")
    screen.wait_for("/conv")
    screen.send("a")
    screen.wait_for(r"\d+ marked")
    screen.send("m")
    screen.wait_for("undo 1")
    screen.send("r")
    screen.wait_for("✓ done", 300)
    screen.send("3")
    screen.wait_for(r"━ 3 Compare")
    assert re.search(r"accuracy %\s+\d+\.\d\d\s+\d+\.\d\d", screen.text()), screen.text()
    screen.send("z")
    screen.wait_for("r reruns")
    screen.send("Z")
    screen.wait_for("✓ done")
    screen.send("t")
    screen.wait_for("dark")
    screen.send("\x1b[B\x1b[B\r")
    screen.settle()
    screen.resize(80, 24)
    screen.wait_for(r"━ 3 Compare")
    screen.resize(120, 36)
    screen.wait_for(r"5 Histogram")
    screen.send("e")
    screen.settle()
    screen.send(f"\x15{recipe}\r")
    screen.wait_for("wrote ")
    assert "rules:" in recipe.read_text()
    screen.send("q")
    screen.wait_for("ended with 0")
    assert screen.modes_left() == set() and len(set(settings(tmp_path))) == 1
    screen.send("\n")
    screen.end()
