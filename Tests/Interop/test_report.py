"""The page that `lathe compare --report` writes."""
import hashlib
import html.parser

from conftest import SAMPLES, lathe

MODEL = SAMPLES / "shapes.onnx"
SAMPLE = [MODEL, "--data", SAMPLES / "test.yaml", "--train-data", SAMPLES / "train.yaml"]


class Page(html.parser.HTMLParser):
    """Counts what is open, and keeps what the page would load."""

    VOID = {"meta", "link", "img", "br", "hr"}

    def __init__(self):
        super().__init__()
        self.open, self.loads, self.tags = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.loads += [value for name, value in attributes if name in ("src", "href", "xlink:href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag


def test_the_report_is_whole(tmp_path):
    recipe = tmp_path / "r.yaml"
    recipe.write_text("lathe: 1\nname: \"<img src=x> & 'quotes' |\"\ndefaults: {mode: weight-only, weights: {bits: 4}}\n")
    for ending in ("html", "md"):
        lathe(
            "compare", *SAMPLE, "--preset", "static-int8", "--recipe", recipe, "--limit", "50", "--report",
            tmp_path / f"report.{ending}", "--quiet")
    text = (tmp_path / "report.html").read_text()
    page = Page()
    page.feed(text)
    assert page.open == [] and page.loads == [] and "img" not in page.tags and page.tags.count("svg") == 2
    for file in [MODEL, SAMPLES / "test.yaml", SAMPLES / "test.npz", SAMPLES / "train.npz"]:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        assert digest in text and digest in (tmp_path / "report.md").read_text()
