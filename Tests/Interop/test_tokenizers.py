"""The numbers that the tests of the tokenizers expect are those of the `tokenizers` package that is installed."""
import json

import pytest
from tokenizers import Tokenizer

from conftest import ROOT, SHARED, needs_shared

FOLDER = ROOT / "Tests/Fixtures/tokenizers"
EXPECTED = json.loads((FOLDER / "expected/texts.json").read_text(encoding="utf-8"))


def check(name, path):
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    expected = EXPECTED["tokenizers"][name]["ids"]
    assert len(expected) == len(EXPECTED["texts"]) >= 40
    for text, ids in zip(EXPECTED["texts"], expected):
        assert tokenizer.encode(text).ids == ids, repr(text)


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.json")))
def test_tokenizers_of_the_project(name):
    check(name, FOLDER / f"{name}.json")


@needs_shared
@pytest.mark.parametrize("name", sorted(name for name in EXPECTED["tokenizers"] if "/" in name))
def test_shared_tokenizers(name):
    check(name, SHARED / name / "tokenizer.json")
